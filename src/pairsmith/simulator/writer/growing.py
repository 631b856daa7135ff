"""Sentences by which a prompt grows out of its material: from a topic, a person, a situation, by a step, in other words."""

# Asks on a topic, where those of the family speak of something else.
TOPICAL: dict[str, tuple[str, ...]] = {
    "support": (
        "How do you handle {topic}? I'm asking before I order, not after.",
        "Your terms say nothing about {topic}. What applies, and where can I read it?",
        "I've had trouble with {topic} before, with another shop. What's different at yours?",
        "Whom do I talk to about {topic}? Your menu offers me nine options, and none of them fits.",
        "Last year your colleague {name} settled {topic} for me in {n} minutes. This year I've been passed on {num} times.",
        "Is {topic} something I can do myself, or do you void my guarantee for that?",
        "I've got a question on {topic} that's too long for your form, so here it is, in short: who pays, how long does it "
        "take, and does it need a receipt?",
        "Be honest, how often does {topic} come up with your customers, and what do you do for them?",
        "{Who} and I disagree about {topic} and your hotline told each of us something different. Which is right?",
        "I would like to complain about {topic}. Not loudly, but I'd like it to be written down somewhere.",
        "What does {topic} cost at yours, with everything? I found {n} prices on {n} pages.",
        "please explain {topic} like im new here, ordered {ago}, still confused",
    ),
    "advice": (
        "How do people bring up {topic} without spoiling the evening?",
        "I'm stuck on {topic}. {Who} says wait, my stomach says act, and it has to be decided {soon}.",
        "What should I have settled before I touch {topic} at all?",
        "I've been avoiding {topic} for {span}. What's the smallest first step that counts?",
        "Everybody around me has an opinion on {topic}, and none of them has to live with it. How do I find mine?",
        "When it comes to {topic}, where does being kind end and being used begin?",
        "Can you play {name} for a moment? I'd like to practise a conversation about {topic}.",
        "Is it normal that {topic} takes up so much of my head? I'm {num_old}, I thought that would pass.",
        "I handled {topic} badly {ago}, and I know it. How do I make up for that without a big speech?",
        "What do you wish somebody had told people about {topic} ten years earlier?",
    ),
    "code": (
        "Show me a small example of {topic} in {code_lang}, and the mistake that everybody makes with it.",
        "We disagree in the team about {topic}: {name} calls it essential, I call it ceremony. What are the facts?",
        "How would you test {topic} in a code base of {big},000 lines that has no tests so far?",
        "I have to teach {topic} to {n} trainees in one morning. What do they build, and in which order?",
        "What breaks first when {topic} is done by somebody in a hurry? I'm that somebody, {soon}.",
        "Review question: a change that's mostly about {topic} touches {num} files. What do I look at first?",
        "Is there a way to get {topic} right in {code_lang} without pulling in a framework?",
        "Write me a checklist on {topic} for pull requests, ten lines at most, each of them checkable.",
        "{Topic}: what did one do about that in {year}, and why is that wrong today?",
        "Which metrics would show that {topic} has become worse in our code over the last {n} months?",
    ),
    "moderation": (
        "Where would you draw the line with {topic} in a public group of {big}0 people?",
        "I need a rule about {topic} in {n} sentences that nobody can misread on purpose.",
        "A member says that my last decision on {topic} was unfair. How do I look at it again with fresh eyes?",
        "How do I explain to new moderators what we do about {topic}? An example on each side of the line would help.",
        "Give me five invented posts that have to do with {topic}, from harmless to clearly not, and your decision on each.",
        "Write the note that people get when a post of theirs is removed because of {topic}.",
        "What do big platforms do about {topic} that a small club can't, and what can we do instead?",
        "Can a word filter deal with {topic}, or does that only make people inventive?",
    ),
    "reasoning": (
        "Set me {n} exercises on {topic}, from easy to nasty, with the solutions at the very end.",
        "What's the classic wrong conclusion about {topic}? Give me one with numbers, and then the right way.",
        "I want to explain {topic} to {who} with {num} matchsticks or something like it. How?",
        "Where in daily life does {topic} decide about real money? Work one case through for me.",
        "I understand every line in the book about {topic} and still get the exercises wrong. What do I check?",
        "Make up a puzzle on {topic} that can be solved in the head on a bus ride, and one that can't.",
        "How precise does one have to be with {topic}? Show me a case in which rounding changes the answer.",
    ),
    "summarisation": (
        "Explain {topic} in plain words for {audience}, half a page at most.",
        "What do the usual letters about {topic} really say, sentence by sentence?",
        "I need a notice on {topic} that can be understood without dictionary or patience.",
        "Which {n} terms does one have to know to read anything official about {topic}, and what do they mean?",
        "Write the shortest correct summary of {topic} that you can, then the shortest helpful one.",
        "What's commonly left out when {topic} gets explained to lay people?",
        "{Who} has a form on the table about {topic} and is afraid of box {num}. What's usually meant by such questions?",
    ),
    "translation": (
        "Which phrases about {topic} can't be translated into {lang} word for word, and what does one say there?",
        "I need {num} sentences on {topic} in {lang}, with a translation below each, for a class of beginners.",
        "How polite does one have to be in {lang} about {topic}? Give me a stiff, a normal and a warm version.",
        "What false friends should I watch out for when I write in {lang} about {topic}?",
        "My {lang} is good enough for ordering coffee. What do I need beyond that for {topic}?",
    ),
}

# {person} is a phrase with its article.
PERSONS = (
    "I'm {person}.",
    "You should know that I'm {person}.",
    "As {person}, I see this a bit differently.",
    "For context: I'm {person}, and I'd like it to fit.",
    "Speaking as {person}, my patience with this has limits.",
    "If it helps, I'm {person}.",
    "Being {person}, I have little use for general tips.",
)
# Of persons that no such phrase can be made of.
PERSONS_OTHERWISE = (
    "What matters to me in this is {trait}.",
    "You can tell that {trait} is never far from my mind.",
    "With me, everything comes back to {trait}.",
)
SITUATIONS = (
    "{Situation}.", "Just now it's like this: {situation}.", "At the moment {situation}.", "Right now {situation}, so bear with me.",
    "To give you the picture: {situation}.", "The thing is that {situation}.",
)  # fmt: skip
SITUATIONS_OTHERWISE = (
    "I'm writing this {situation}.", "All of this {situation}, as you may notice.", "I have to sort it out {situation}.",
)  # fmt: skip

STEPS: dict[str, tuple[str, ...]] = {
    "deeper": (
        "I know the usual answer to that, and it's right in nine cases out of ten. I'm asking about the tenth.",
        "What I really want to know is why it's like that in the first place, and who gains by it.",
        "I've done the obvious things already, and they made it worse. What lies behind that?",
        "Everybody gives me the rule. When is the rule wrong?",
        "There must be a trade-off in it that nobody mentions: what do I pay for the easy way, and when do I notice?",
        "Suppose the first explanation doesn't hold. Which would be the second, and how could I tell the two apart?",
        'An expert told me that this was "a known exception" and left it at that. To what, and known since when?',
        "If the same thing happened with the {other}, would you say the same? And if not, what makes the difference?",
        "I'd like to understand it well enough to notice the next time before it's too late.",
    ),
    "constrained": (
        "It must work without the internet and without spending more than {price}.",
        "The answer has to fit on a postcard, {num} words at most, and still contain the number that matters.",
        "I can only do it on {day}s, after eight in the evening, and quietly.",
        "Whatever you suggest, I mustn't phone anybody and there's no car.",
        'Please answer in exactly {n} sentences, none of which begins with "I" or "you".',
        "It's going to be read by {audience}, so neither jargon nor numbers above {big}.",
        "There are {span} left for it, not a minute more, and one of my hands is in plaster.",
        "{Who} has to be able to do it alone, with bad eyes and without asking back.",
        "Nothing may be thrown away, and nothing bought new.",
        "I need it as a table with {n} columns and at most {num} rows, no text around it.",
    ),
    "concrete": (
        "In detail: it began on the {num}th of {month} in {town}, {name} was there, and so far {price} euros have gone into it.",
        "The facts: {year}, {big} pieces, {n} of them damaged, and one signature that nobody can place.",
        "We're talking about {name}'s place in {town}, {big} square metres, built in {year}, {n} people, one key.",
        "On {day} at ten past {n} I noted the reading: {big}. A day later it was {num} more, and no one had been at home.",
        "{name} has it in writing from {month} {year}, I have a message from {day}, and the two differ by {price} euros.",
        "To be exact, it's been {num} days, {n} phone calls and one letter by registered post, dated the {num}th of {month}.",
        "The history is short: bought in {year}, moved to {town} in {month}, mended {n} times, always by {name}.",
    ),
    "reasoning": (
        "Please weigh it up: by {day} it costs {price}, after that {n} percent more a week, but there's a chance of one in "
        "{num} that it becomes unnecessary.",
        "There are {n} ways to go about it, and two of them exclude each other. In which order would you decide?",
        "Careful, the quick answer leaves out that {name} is only there every other {day} and that {big} is not the total.",
        "{name} says it's {num}, the form says {big}, and both can be true if one of them counts differently. Which does?",
        "Take into account that the first {num} are free, that {n} of us are away in {month}, and that no one wants to do it "
        "twice.",
        "What has to happen first, what can wait until {day}, and what falls away if {who} says no?",
        "If I do the cheap thing now, I may pay {price} later; if I do the expensive one, I surely pay {big} today. From "
        "which probability on is that worth it?",
    ),
    "rare": (
        "I haven't found a single page on this, which is why I'm asking you.",
        "It seems to be one of those cases that happen once in {big} times.",
        "The usual advice is for the usual model; mine was made in {town} in {year}, {big} pieces in all.",
        "As far as I know, that rule applies only to places with fewer than {big}0 inhabitants.",
        "I suspect that it has to do with the altitude: we live at {big}0 metres.",
        "There's a clause about leap years in it, and this is where it begins to get odd.",
        "Nobody in the trade under {num_old} remembers how that was done.",
        "It's complicated by a twin with the same initials at the same address.",
    ),
}

# The same request once more, by other people.
FRAMES = (
    "Let me put it this way. {said}",
    "{said} That's all I want to know.",
    "What I'm trying to find out: {said}",
    "I hope this is the right place for it. {said}",
    "To come straight to the point: {said}",
    "{said} I'd be glad of a clear word on that.",
    "Maybe you can clear this up for me. {said}",
    "I have been turning this over in my head. {said}",
)
# Words and what others say for them.
SWAPS: tuple[tuple[str, str], ...] = (
    ("I'm not asking for anything", "I don't want anything special"), ("am i getting", "will i get"), ("Is it true that", "Someone told me that"),
    ("two weeks ago", "a fortnight back"), ("Please explain", "Could you explain"), ("I would like to", "I want to"),
    ("I'd like to", "I want to"), ("I want to", "I'd like to"), ("Can I", "Am I allowed to"), ("Could you", "Would you"),
    ("Please review", "Have a critical look at"), ("Should I", "Would it be better to"), ("might it be", "could the cause be"),
    ("What did I do wrong", "Where's my mistake"), ("What does this mean", "How am I to understand this"), ("I bought", "I got"),
    ("bought", "purchased"), ("I ordered", "My order was for"), ("you've delivered", "what came was"), ("You sent me", "In the parcel I found"),
    ("arrived", "got here"), ("haven't", "have not"), ("don't", "do not"), ("It's", "It is"), ("it's", "it is"), ("I've", "I have"),
    ("I'm", "I am"), ("so loudly that", "with such a noise that"), ("a question", "something to ask"), ("a month", "each month"),
    ("a week", "every week"), ("about", "roughly"), ("straight back", "back at once"), ("present", "gift"), ("One question", "Just one thing"),
    ("Hello, ", ""), ("Hi, ", ""), ("Thanks for", "I was delighted by"), ("only", "just"), ("simply", "in easy words"),
    ("normal words", "everyday language"), ("frightened", "scared"), ("nobody", "no one"), ("everybody", "everyone"),
    ("Write", "Compose"), ("Explain", "Make clear"), ("How do I", "What's the way to"), ("What should I", "What ought I to"),
    ("I need", "I could use"), ("because", "since"), ("very", "really"), ("my man", "my husband"), ("tell me", "let me know"),
    ("Give me", "I'm looking for"), ("every", "each"), ("for a year", "for twelve months"), ("Is this", "Would you call this"),
    ("Does this", "Would this"), ("wants to", "would like to"), ("big", "large"), ("quickly", "fast"), ("start", "begin"),
    ("however", "but"), ("enough", "sufficient"), ("buy", "get"), ("help me", "give me a hand"), ("sort", "kind"),
)  # fmt: skip

TOPICS: dict[str, tuple[str, ...]] = {
    "support": (
        "late or missing deliveries", "wrong items in the parcel", "returns after first use", "double charges and refunds",
        "fitting and compatibility", "spare parts for old models", "warranty or wear and tear", "corrected invoices",
        "price changes and discounts", "damage in transit", "gifts that need exchanging", "complaints about staff",
        "repairs in the workshop", "orders from abroad", "cancelling an order in time", "care and cleaning", "missing instructions",
        "bulk orders for clubs", "account and password trouble", "noises and smells after purchase",
    ),
    "advice": (
        "lending money to relatives", "noisy neighbours at night", "credit taken by colleagues", "speeches on hard days",
        "selling a parental home", "work at the weekend", "learning late in life", "children who want to quit",
        "awkward pay differences", "getting back into sport", "friends with difficult partners", "leaving an honorary post",
        "questions for the doctor", "holidays without the family", "long waits after interviews", "moving in together",
        "presents nobody wants", "second chances after a quarrel",
    ),
    "creative": (
        "stories with unreliable narrators", "poems for sad occasions", "toasts and short speeches", "dialogue without tags",
        "bedtime stories", "names for boats and cafés", "parodies of advertising", "monologues for the stage", "crime in miniature",
        "songs for children", "letters that were never sent", "invented village customs", "openings of novels", "comic obituaries",
    ),
    "code": (
        "mutable default arguments", "errors that are swallowed", "queries built from strings", "race conditions in handlers",
        "off-by-one mistakes", "slow database migrations", "secrets in build files", "tests that test nothing",
        "rounding and money", "names that mislead", "memory in C programs", "hooks and stale state", "shell scripts that delete",
        "caches without an end", "parallel requests", "dates and time zones", "unclear ownership in Rust", "logging done right",
    ),
    "reasoning": (
        "meeting times and intervals", "ages and equations", "fair shares of a bill", "rates of filling and leaking",
        "drawing without looking", "sound and unsound arguments", "seating people in a row", "tariffs and break-even points",
        "medical tests and base rates", "liars and truth-tellers", "compound interest", "average speeds", "growth by doubling",
        "schedules with constraints", "estimates from little data",
    ),
    "moderation": (
        "personal attacks in disguise", "advertising by members", "private data in comments", "irony that misfires",
        "health claims without proof", "threats that may be jokes", "repeat offenders", "posts by minors", "off-topic quarrels",
        "pictures without consent", "rumours about officials", "appeals against decisions", "messages that sound desperate",
    ),
    "summarisation": (
        "clauses in tenancy contracts", "letters from authorities", "medical findings", "package leaflets", "statutes of clubs",
        "terms of insurance", "loan agreements and rates", "minutes of meetings", "notices for residents", "employment contracts",
        "warranty exclusions", "deadlines and objections", "reports with many numbers", "school letters",
    ),
    "translation": (
        "signs and notices", "menus and allergens", "letters to suppliers", "jokes across languages", "subtitles with few characters",
        "forms of address", "postcards and greetings", "machine translation gone wrong", "engravings and tattoos",
        "contracts in two languages", "dialect in dialogue", "false friends",
    ),
    "other": (
        "first steps for beginners", "hidden costs", "rules that differ abroad", "checklists for bad weather", "origins of words",
        "questions before signing", "common misconceptions", "planning for groups", "notes into agendas", "explaining to children",
        "deciding between two options", "signs of success", "things experts know", "half a page for the boss",
    ),
}  # fmt: skip
ASPECTS = (
    "{a} that arrive damaged", "{a} for beginners", "the cost of {a}", "{a} in winter", "second-hand {a}", "mistakes with {a}",
    "{a} on a small budget", "repairing {a}", "choosing {a}", "{a} and safety", "old {a} today", "rules about {a}",
    "{a} for older people", "buying {a} abroad", "when {a} fail", "storing {a}", "{a} as a present", "quarrels about {a}",
)  # fmt: skip
PARTS = (
    "costs of {t}", "first steps with {t}", "{t} in a hurry", "{t} for beginners", "proof needed for {t}", "who decides about {t}",
    "mistakes with {t}", "{t} on holiday", "{t} for older people", "deadlines for {t}", "{t} the second time", "rare cases of {t}",
    "talking about {t}", "{t} across borders", "avoiding {t}", "limits of {t}", "{t} in writing", "help from outside with {t}",
)  # fmt: skip
