"""Sentences by which a prompt grows out of its material: from a topic, for a person, in a situation."""

# Asks on a topic, where those of the family speak of something else.
TOPICAL: dict[str, tuple[str, ...]] = {
    "support": (
        "How do you handle {topic}? I'm asking before I order, not after.",
        "Your terms say nothing about {topic}. What applies, and where can I read it?",
        "I've had trouble with {topic} before, with another shop. What's different at yours?",
        "Whom do I talk to about {topic}? Your menu offers me nine options, and none of them fits.",
        "Last year your colleague {name} settled {topic} for me in {n} minutes. This year I've been passed on {num} "
        "times.",
        "Is {topic} something I can do myself, or do you void my guarantee for that?",
        "I've got a question on {topic} that's too long for your form, so here it is, in short: who pays, how long "
        "does it take, and does it need a receipt?",
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
        "I've been avoiding {topic} for {long}. What's the smallest first step that counts?",
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
        "Give me five invented posts that have to do with {topic}, from harmless to clearly not, and your decision on "
        "each.",
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
        "What do explanations of {topic} for lay people commonly leave out?",
        "{Who} has a form on the table about {topic} and is afraid of box {num}. What's usually meant by such "
        "questions?",
    ),
    "translation": (
        "Which phrases about {topic} can't be translated into {lang} word for word, and what does one say there?",
        "I need {num} sentences on {topic} in {lang}, with a translation below each, for a class of beginners.",
        "How polite does one have to be in {lang} about {topic}? Give me a stiff, a normal and a warm version.",
        "What false friends should I watch out for when I write in {lang} about {topic}?",
        "My {lang} is good enough for ordering coffee. What do I need beyond that for {topic}?",
    ),
}
TOPICAL["service"] = TOPICAL["support"]

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
    "{Situation}.",
    "Just so that you know: {situation}.",
    "To give you the picture: {situation}.",
    "The thing is that {situation}.",
    "This is how it stands: {situation}.",
    "It's like this: {situation}.",
)
SITUATIONS_OTHERWISE = (
    "I'm writing this {situation}.",
    "Excuse the style, I'm writing {situation}.",
    "You get this from me {situation}, so please keep it simple.",
    "It came up {situation}.",
)
