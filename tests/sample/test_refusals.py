import pytest

from pairsmith.sample.refusals import MAX_CHARS, is_refusal

REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "I’m sorry, but I can’t assist with that request.",
    "I'm really sorry, but I'm not able to provide that information.",
    "I cannot assist with creating malware.",
    "I'm sorry, but I cannot fulfill your request. If you have another question, feel free to ask.",
    "Sorry, I can't help with this kind of request.",
    "As an AI language model, I cannot provide instructions for building weapons.",
    "I apologize, but I can't assist you with that.",
    "I'm unable to help with that request.",
    "I must respectfully decline this.",
    "I can't create content that promotes hatred.",
    "I won't write that story.",
    "I'm sorry, I can't help you.",
    "**I can't comply with that request.**",
    "\n  I'm afraid\n I can't help with that",
    "Es tut mir leid, aber ich kann Ihnen dabei nicht helfen.",
    "Dabei kann ich dir leider nicht helfen.",
    "Ich kann diese Anfrage leider nicht erfüllen.",
    "Je suis désolé, mais je ne peux pas vous aider avec cette demande.",
    "De\u0301sole\u0301e, je ne peux pas répondre à cette demande.",
    "Lo siento, pero no puedo ayudarte con eso.",
    "No puedo cumplir con esa solicitud.",
]

ANSWERS = [
    "",
    "I'm sorry, but I can't find your order; could you send me its number?",
    "I'm sorry, but I can't offer a refund after 30 days. A voucher is possible.",
    "I can't help but admire the way you put it.",
    "I can't help with that shipping label, but the courier can.",
    "I'm sorry, Dave. I'm afraid I can't do that.",
    "I cannot stress enough how much a good night's sleep helps.",
    "I can't write this story without thinking of her.",
    "Sorry, I can't make it on Friday. Could we meet on Monday?",
    "I'm sorry to hear that your parcel is late. It left our warehouse on Monday.",
    "I won't write another cover letter before breakfast.",
    "I am unable to log in since the update, he wrote.",
    "The usual refusal reads \"I'm sorry, but I can't help with that.\"",
    "Es tut mir leid, dass Ihre Lieferung zu spät kommt.",
    "Ich kann Ihnen dabei helfen.",
    "Je suis désolé pour le retard; votre colis est parti lundi.",
    "Lo siento, el pedido salió ayer y llegará mañana.",
    "No puedo esperar a verte.",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_a_stock_refusal_is_recognised(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer_that_sounds_like_one_is_not_a_refusal(text: str) -> None:
    assert not is_refusal(text)


def test_a_long_text_says_more_than_no() -> None:
    refusal = "I'm sorry, but I can't help with that. "

    assert is_refusal(refusal + "x" * (MAX_CHARS - len(refusal)))
    assert not is_refusal(refusal + "x" * MAX_CHARS)
