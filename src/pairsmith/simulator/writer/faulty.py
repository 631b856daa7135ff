"""What goes wrong when a model writes prompts: the sentences of each kind of fault, told apart by these alone."""

# Answers where a question was wanted, with and without a phrase that gives them away.
ANSWERS = (
    "Sure! Here is what you can do about {topic}: 1. Write down what happened and when. 2. Collect receipts and "
    "photos. 3. Get in touch with the people responsible before {day}.",
    "Certainly! The short answer is that {topic} usually [costs less|takes longer] than people expect, about {span} "
    "altogether.",
    "Here is a simple plan for {topic}. First decide what you want to achieve, then set a limit of {price} euros, and "
    "finally ask {name} to look it over.",
    "Start with the part of {topic} that you can check yourself. If it still doesn't work after {span}, exchange it "
    "rather than repairing it; beyond that point repairs rarely pay.",
    "You should keep the packaging, note the date, and report the damage within {num} days. After that the burden of "
    "proof is yours, also where {topic} is concerned.",
    "The main difference lies in how {topic} is paid for: by the month in the first case, at the end in the second. "
    "For most people the second is cheaper by about {price} euros a year.",
    "In general, {topic} is covered for two years. The first step is to describe the fault in writing and to set a "
    "deadline of {num} days.",
    "Yes, that's possible. Fill in the form, attach a copy of the invoice, and you'll have the money within {num} "
    "working days.",
    "There are three things to consider: how old {topic} is, how often it's used, and whether spare parts can still "
    "be had. In your case I'd wait until {month}.",
    "1. Measure twice. 2. Order the smaller size. 3. Keep the old one until {topic} has been tried for {span}.",
    "I understand your frustration. We've looked into {topic}, and a replacement will leave our warehouse {soon}.",
    "A good way to handle {topic} is to agree on a fixed day, such as {day}, and to put everything that comes up in "
    "between on one list.",
)

DRIFTS = (
    "What is the capital of [Mongolia|Paraguay|Senegal|Kazakhstan], and how many people live there?",
    "Tell me a fun fact about [penguins|octopuses|the moon|bamboo] that starts with the number {num}.",
    "Which planet has the most moons, and who discovered the {num}th of them?",
    "Generate a strong password of {num} characters with at least {n} digits.",
    "Who won the chess world championship before {year}, and with which opening?",
    "List {num} synonyms of the word [beautiful|important|innovative|dynamic] in alphabetical order.",
    "Write a horoscope for [Aries|Virgo|Pisces|Leo] for the coming {month}.",
    "How far is it from the earth to the sun in {n} different units?",
    "Describe the water cycle for a school project, with {n} headings.",
    "What are the benefits of drinking {n} litres of water a day?",
    "Sapresti dirmi quali documenti servono per rinnovare la patente dopo i {num} anni, e quanto costa farlo a {town}?",
    "Vorrei una ricetta semplice per {num} persone con quello che ho in frigo: due zucchine, un limone e un po' di "
    "ricotta.",
    "Ho comprato un biglietto per [sabato|lunedì|giovedì] ma il treno è stato soppresso. Mi spetta il rimborso, "
    "oppure solo un altro posto?",
    "Scrivi una breve lettera al condominio: il portone resta aperto di notte da {num} settimane e nessuno fa niente.",
    "Kun je me uitleggen waarom mijn energierekening van [maart|juni|oktober] zo hoog is, terwijl ik {num} dagen niet "
    "thuis was?",
    "Ik zoek een cadeau van hooguit {num} euro voor iemand die alles al heeft en nergens plaats voor.",
    "Mijn fiets is gestolen en de verzekering wil {num} sleutels zien. Ik heb er nog maar een. Wat nu?",
    "Podes escrever um texto de {num} parágrafos sobre as vantagens de viver numa cidade pequena como {town}?",
    "Queria saber se ainda posso devolver os sapatos que comprei há {num} dias e que já usei na rua uma vez.",
    "Preciso de ajuda para explicar ao meu chefe que não posso trabalhar [na sexta|no sábado|na segunda], sem parecer "
    "preguiçosa.",
)

# Each with its fillings left open; the first in a prompt, the second on its own.
PLACEHOLDERS = (
    "[insert product]", "{topic}", "<your name>", "[name]", "[date]", "[your city]", "{{product}}", "<company>",
    "[amount]",
    "XXXX", "___",
)  # fmt: skip
PLACED = (
    "It's about [insert product].", "I'm writing on behalf of <company>.", "My name is <your name>.",
    "I live in [your city].",
    "The subject is {topic}.", "It happened on [date].", "Please send the answer to [name].",
    "It cost [amount] in all.",
    "This concerns {{product}} only.", "My number is XXXX.", "Please address it to ___.",
)  # fmt: skip

# Remarks on the prompt; the rest of a good one may follow.
ABOUT = (
    "Prompt {num}: {good}",
    "Here is a prompt about {topic}: {good}",
    "The passage above mentions {topic}. What follows from it for somebody who has only {span}?",
    "Based on the text above, explain why {topic} matters to the author.",
    "Write a prompt in which a user asks an assistant about {topic} in an annoyed tone.",
    "In this prompt, the user wants help with {topic} and gives {n} details.",
    "A variation on the example: {good}",
    "According to the article, what role does {topic} play, and what does the second section say about it?",
)

DANGLING = (
    "Summarise the following text:",
    "Please translate this paragraph into {lang}:",
    "Can you find the bug in this function?",
    "What does the sentence below mean? Explain it simply:",
    "Rewrite the email below so that it sounds friendlier.",
    "Look at the attached table and tell me which {n} rows are wrong.",
    "Proofread the letter that I've pasted here and mark every mistake:",
    "Is the comment in the screenshot an insult or not?",
    "Continue the story where it stops:",
    "As I said in my last message, please change points {n} and {num}.",
)

REFUSALS = (
    "I'm sorry, but I can't help with that.",
    "I can't write prompts of this kind, as they could be misused.",
    "As an AI language model, I don't have needs of my own and can't write what a person would ask.",
    "I'm unable to continue with this request. Is there anything else I can do for you?",
)

# What a writer says too often: the same to everybody who asks.
FAVOURITES = (
    "Write a short email to a customer whose order has been delayed by three days.",
    "Explain the difference between a fixed and a variable interest rate in simple words.",
    "How can I stay motivated when working from home for several weeks in a row?",
    "Give me five tips for planning a small birthday party on a budget.",
)
# Edits that make a copy look new; nothing else in the banks begins or ends like this.
BEFORE = ("Hi, ", "Quick question: ", "Hello! ", "Hey there, ", "Please help: ")
BEHIND = (
    " Thanks!",
    " Thank you in advance.",
    " Thanks a lot.",
    " Cheers.",
    " Thank you so much!",
    " Any help is welcome.",
)
