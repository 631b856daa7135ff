"""Which texts are no prompts: nothing that people send is taken for one, and what writers get wrong is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from pairsmith.collect.expand import gates
from pairsmith.collect.expand.gates import no_prompt, unquoted
from pairsmith.sample.refusals import is_refusal
from pairsmith.wordings import detector

DATA = Path(__file__).parents[2] / "data"
SHIPPED = ("seeds", "prompts", "demo/book", "anchors")

# What people send, and what it looks like.
GOOD = {
    "orders without I or a question mark": """
        Develop a twelve-week marketing plan for a small bakery in Leeds that opens at five and sells mostly sourdough.
        Transform these notes into a table with owner and deadline: Bo calls the printer by Friday, Al books the room.
        Rank these five cities by population and then by rent for a two-room flat: Lyon, Porto, Ghent, Graz, Turin.
        Tell a story in which a robot learns to bake bread, falls in love with the oven, and leaves the village.
        Role-play a job interview for a nurse: ask one question at a time, wait, and give feedback after the fifth.
        In order to demonstrate good manners, explain how you would decline an invitation that comes too late.
        You have two ropes. Each burns for an hour. You can only light the ends. Measure 45 minutes.
        You need to write an opening scene for a horror film. You can use as many words as you like.
        Entwickle einen Trainingsplan für einen Halbmarathon, mit drei Einheiten pro Woche und einem Lauf am Sonntag.
        Gib drei Argumente für und drei gegen ein Tempolimit, jeweils mit einer kurzen Einordnung der Aussagekraft.
        Décris en détail le fonctionnement d'une pompe à chaleur dans une maison ancienne, avec ses avantages.
        Fais un tableau comparatif des régimes matrimoniaux en France, avec pour chacun un exemple concret.
        Haz una lista de diez actividades para niños en un día de lluvia, sin pantallas y con materiales baratos.
        """,
    "wishes, and remarks that ask for nothing": """
        Need a 3-day Lisbon itinerary, two kids, no car, hotel near Rossio, budget around 120 euros a day, no fish.
        Difference between a Roth IRA and a traditional IRA for somebody of 45 who earns 90k and retires in Portugal.
        A best man's speech for my brother, who is an accountant and loves it. Keep it kind. 250 words.
        Your site says you can return within 30 days. The form rejects the number.
        The app usually opens in a second. Since the update it takes a minute on every phone in the office.
        Dinner for six, with:\\n- one vegetarian main course without nuts\\n- a dessert that can be made ahead
        Steps so far:\\n1. Unplugged the router\\n2. Reset it\\n3. Called the provider\\nStill no internet.
        - Paris\\n- Rome\\n- Oslo\\nSort by latitude, north first.
        """,
    "openings of answers that are taken back": """
        Here is the email my boss sent me:\\n"Come in at 7."\\nHow do I say no politely?
        Here is a function:\\n\\n```python\\ndef f(x): return x\\n```\\n\\nWhy does it return None?
        Yes, or no: is a tomato a fruit?
        No, I don't want another summary: how do I cancel?
        Answer: is it legal to record a call in Ohio?
        Natürlich, aber wie kündige ich den Vertrag denn jetzt?
        Good news: we're hiring. The office is in Graz. Write a post about it.
        I understand that returns take time. It has been six weeks.
        Thank you for your quick reply, but the code still fails.
        Here are the steps I took. Nothing works.
        """,
    "brackets, lines and crosses that are no blanks": """
        mvn prints [ERROR] Failed to execute goal compile, what do I do?
        [URGENT] The server is down and nobody answers, what do I check first?
        Why does my <title> tag not show up in Google?
        How do I style an <address> element with CSS?
        SELECT [Date], [Name] FROM Orders gives a syntax error in MySQL, why?
        How do I print {{ user.name }} literally in Jinja?
        params[name] is nil in my Rails controller although the form sends it, why?
        Why does f"{name}" work but "{name}" print the braces?
        Usage says: git stash push [options] [pathspec], what does the second one do?
        "He said [the mayor] would resign." How do I cite that?
        What is [string, number] in TypeScript?
        Why?\\n\\nsteps:\\n  - run: ./sync --token ${{ secrets.TOKEN }} --verbose
        Fill in the gap: She ___ to school every day. Which tense is it?
        What does ____ mean in Scala?
        Explain what [EOS] does in a tokenizer.
        What is the plot of the movie XXX with Vin Diesel?
        """,
    "ends that are whole": """
        My cat is sick and I don't know what to do :(
        why do my tomato seedlings always die
        whats better for the skin, vitamin C or vitamin A
        Wann fängt das an
        Write the adjectives for each.\\n\\nIron:\\nSilk:
        """,
    "texts that are there, or were never meant to be": """
        Which of the following is a prime number, 4, 6 or 7?
        How do I deal with the neighbour below who plays drums at night?
        Write a one-liner that finds the ten largest files below the current directory.
        Summarise this article: The council met on Tuesday and voted to close the library on Mondays from April.
        Review this code:\\n\\ndef f(x):\\n    return x
        Rewrite this sentence. The dog was walked by the neighbour on Sunday.
        ```python\\ndef f(x): return x+1\\n```\\nWhat does the code above do, and how would you test it?
        def f(x):\\n  return x+1\\n\\nExplain the code above.
        name,age\\nBo,3\\nAl,9\\n\\nSort the table above by age.
        Explain the function and structure of mitochondria.
        According to the letter I have to pay by Friday. Is that legal?
        Why did you ignore the email I sent you?
        Edit the file /etc/hosts so that example.org points to localhost. How?
        """,
    "prompts that speak of prompts": """
        As an AI engineer, what should I learn next?
        Question: why is the sky blue?
        Write a prompt for Midjourney that shows a red fox in the snow.
        What does the $ mean in this prompt?
        """,
    "scripts without spaces": """
        俳句って何？
        翻訳して
        """,
}

BAD = {
    gates.TOO_SHORT: """
        Haiku
        """,
    gates.REFUSAL: """
        Es tut mir leid, aber dabei kann ich nicht helfen.
        """,
    gates.BLANKS: """
        Write a letter to [recipient] about the delay.
        Schreib eine Mail an [Kundenname] wegen der Lieferung.
        Schreib eine Mail an [Empfänger] wegen [Grund].
        How do I cook [vegetable] for [number of] guests?
        Plan a party for [X] people.
        Explique-moi comment aller à [ville].
        Escribe una carta a [destinatario].
        I live in [your city]. Is a flat bottom bracket sold there?
        Write an email to {recipient} about {topic}.
        This concerns {{product}} only. When will it be back?
        Write to %NAME% about the order.
        Write to <recipient> about the order.
        Can you call me back? My number is XXXX.
        Please write a letter to ____.
        """,
    gates.ABOUT: """
        Rewritten: how do I fix a bike?
        **Prompt 1:** How do I fix a bike?
        {"prompt": "How do I fix a bike?"}
        Here's a prompt: how do I fix a bike?
        In this prompt, the user wants help with a bike.
        A variation on the example: how do I fix a bike?
        Write a prompt in which a user asks an assistant about bikes in an annoyed tone.
        The passage above mentions a deadline. What follows from it?
        According to the article, what role do eels play?
        """,
    gates.ANSWER: """
        Sure! Here is what you can do about it: write down what happened, and collect the receipts.
        Certainly! The short answer is that it takes longer than people expect. Would you like to know more?
        Yes, that's possible. Fill in the form, attach a copy of the invoice, and wait for the money.
        I understand your frustration. We've looked into it, and a replacement will leave our warehouse today.
        Start with the part that you can check yourself. If it still fails, exchange it rather than repairing it.
        The best way is to soak the beans overnight and rinse them well before you cook them.
        1. Measure twice. 2. Order the smaller size. 3. Keep the old one.
        Hier sind fünf Tipps: 1. Früh aufstehen. 2. Viel trinken.
        Um den Filter zu wechseln, drehst du zuerst den Deckel ab und nimmst ihn dann nach oben heraus.
        Pour changer le filtre, il faut d'abord dévisser le couvercle puis le sortir par le haut.
        Aquí tienes una lista: pan, leche, huevos.
        """,
    gates.DANGLING: """
        "How do I fix a bike?",
        Tell me the difference between a lease and
        Please translate this paragraph into Italian:
        Please translate this paragraph into Italian: Thank you in advance.
        Summarize the article below.
        Summarize this article.
        Translate this text into French.
        Fix the bug in my code.
        Hello! Can you find the bug in this function?
        What is wrong with this function?
        Proofread the email I pasted.
        Based on the passage, why did the pump fail?
        In the document, which valve is meant?
        Fasse diesen Text zusammen.
        Résume cet article en trois phrases.
        Traduce este texto al inglés.
        """,
}


def texts(lines: str) -> list[str]:
    return [line.strip().replace("\\n", "\n") for line in lines.strip().split("\n")]


@cache
def language() -> Callable[[str], str | None]:
    return detector()


def why_not(text: str) -> str | None:
    return no_prompt(text, language()(unquoted(text)), 4000, is_refusal)


def shipped() -> Iterator[str]:
    for file in (file for folder in SHIPPED for file in (DATA / folder).glob("*.jsonl")):
        rows = [json.loads(line) for line in file.read_bytes().split(b"\n") if line]
        yield from (row["prompt"] for row in rows if isinstance(row.get("prompt"), str))


@pytest.mark.parametrize("kind", GOOD)
def test_what_people_send_is_a_prompt(kind: str) -> None:
    rejected = {text: why for text in texts(GOOD[kind]) if (why := why_not(text))}

    assert rejected == {}


@pytest.mark.parametrize("reason", BAD)
def test_what_is_no_prompt_is_told_with_the_reason(reason: str) -> None:
    found = {text: why_not(text) for text in texts(BAD[reason])}

    assert found == dict.fromkeys(found, reason)


def test_every_prompt_that_ships_with_pairsmith_is_one() -> None:
    prompts = list(shipped())

    assert len(prompts) > 300
    assert [text for text in prompts if why_not(text)] == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Translate into English: Ich hätte gerne einen Termin am Montag.", "Translate into English"),
        ("Korrigiere: I has went to the cinema.", "Korrigiere"),
        ("Sag mir: how do you say Feierabend in English?", "Sag mir"),
        ("Was heißt 'I would like to' auf Deutsch?", "Was heißt   auf Deutsch?"),
        ("Was heißt ‘I don’t care’ auf Deutsch?", "Was heißt   auf Deutsch?"),
        ("「お願いします」 is said when?", "  is said when?"),
    ],
)
def test_what_is_to_be_translated_or_corrected_is_in_no_language_of_its_own(text: str, left: str) -> None:
    assert unquoted(text) == left


def test_apostrophes_and_colons_in_what_is_told_are_kept() -> None:
    for text in ("My dogs' bowl and my cats' food are gone.", "I know this: il treno è in ritardo.", "It's 'fine'."):
        assert unquoted(text) == text
