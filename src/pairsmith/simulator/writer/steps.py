"""Sentences that make a prompt harder or rarer by one step, which are the ways of asking for it."""

STEPS: dict[str, tuple[str, ...]] = {
    "deeper": (
        "I know the usual answer to that, and it's right in nine cases out of ten. I'm asking about the tenth.",
        "What I really want to know is why it's like that in the first place, and who gains by it.",
        "I've done the obvious things already, and they made it worse. What lies behind that?",
        "Everybody gives me the rule. When is the rule wrong?",
        "There must be a trade-off in it that nobody mentions: what do I pay for the easy way, and when do I notice?",
        "Suppose the first explanation doesn't hold. Which would be the second, and how could I tell the two apart?",
        'An expert told me that this was "a known exception" and left it at that. To what, and known since when?',
        "I'd like to understand it well enough to notice the next time before it's too late.",
    ),
    "constrained": (
        "It must work without the internet and without spending more than {price}.",
        "I can only see to it on {day}s, after eight in the evening, and quietly.",
        "Whatever you suggest, I mustn't phone anybody, and there's no car.",
        'Please answer in exactly {n} sentences, none of which begins with "I" or "you".',
        "I'll have to pass your answer on to {audience}, so no jargon and no small print.",
        "That leaves me {span}, not a minute more, and one of my hands is in plaster.",
        "{Who} has to be able to do the rest alone, with bad eyes and without asking back.",
        "Nothing may be thrown away, and nothing bought new.",
        "The answer has to fit on a postcard, {big} words at most, and still say what it costs.",
    ),
    "concrete": (
        "In detail: it began on the {num}th of {month} in {town}, {name} was there, and so far {price} euros have gone "
        "into it.",
        "{name} has it in writing from {month} {year}, I have a message from {day}, and the two differ by {price} "
        "euros.",
        "To be exact, it's been {num} days, {n} phone calls and one letter by registered post, dated the {num_b}th of "
        "{month}.",
        "The history is short: it started in {year}, went quiet when we moved to {town}, and came back in {month}, "
        "worse.",
        "Three people know about it so far: {name}, who lives in {town}, a brother of mine, and I. All of us were told "
        "something else.",
        "I've kept a list since {month}: {num} times in all, {n} of them on a {day}, and never before noon.",
    ),
    "reasoning": (
        "Please weigh it up: by {day} it costs {price}, after that {n} percent more a week, but there's a chance of "
        "one in {num} that it becomes unnecessary.",
        "There are {n} ways to go about it, and two of them exclude each other. In which order would you decide?",
        "Careful, the quick answer leaves out that {name} is only there every other {day} and that {month} is too "
        "late.",
        "{name} says it's been {num} weeks, the form says {n}, and both can be true if one of them counts differently. "
        "Which does?",
        "What has to happen first, what can wait until {day}, and what falls away if {who} says no?",
        "If I do the cheap thing now, I may pay {sum} later; if I do the expensive one, I surely pay {price} today. "
        "From which probability on is that worth it?",
    ),
    "rare": (
        "I haven't found a single page on this, which is why I'm asking you.",
        "It seems to be one of those cases that happen once in {big} times.",
        "As far as I know, the rule applies only to places with fewer than {big}0 inhabitants, and ours is one.",
        "I suspect that it has to do with the altitude: we live at {big}0 metres.",
        "There's a clause about leap years in the terms, and this is where it begins to get odd.",
        "Nobody in the trade under {num_old} remembers how that was done.",
        "It's complicated by a twin with the same initials at the same address.",
    ),
}
# The same where the matter is not somebody's life but a piece of work. What is not named here is like "support".
STEPS_OF: dict[str, dict[str, tuple[str, ...]]] = {
    "code": {
        "deeper": (
            "I know what the manual says about it. What I don't get is why it was designed like that.",
            "It passes all our tests, so I'm asking about what no test of ours would find.",
            "Where's the trade-off? Everybody names the advantage, nobody the bill that comes {n} years later.",
            "If the obvious fix isn't the right one, what would you look at next, and how would you tell?",
            "And at which point does the compiler, or whoever is responsible, decide something that I never wrote?",
        ),
        "constrained": (
            "The fix has to fit into {n} lines, because the release is frozen.",
            "No new packages, no network, and it must still run on a machine from {year}.",
            "I may change this function only, none of its callers, all {num} of them.",
            "It has {big} MB of memory, and there's no second process to be had.",
            "Please explain it without code, for a manager who'll sign it {soon}.",
        ),
        "concrete": (
            "It failed on {day} at ten past {n}, after {big} days without trouble, on one of {num} servers.",
            "The numbers: {big},000 calls a day, {num} of them slow, all from {town}.",
            "{name} wrote it in {year}, I changed the last line in {month}, and since then {num} customers have "
            "complained.",
            "The log shows {big} entries within a second, then nothing for {span}.",
        ),
        "reasoning": (
            "Two of us read it in two ways: {name} expects {num} passes, I expect {big}. Please go through it by hand.",
            "Careful: two of those runs may overlap, and a third one may be aborted. What can be in the table then?",
            "What has to be changed first so that nothing breaks in between? The old version stays up until {day}.",
            "Reckon with {num} workers, {big} ms each way, and one retry. What's the worst case?",
        ),
        "rare": (
            "This is on a big-endian board from {year}, in case you've ever seen one.",
            "It only happens in the night when the clocks go back.",
            "The file names come from a system that writes Turkish capitals.",
            "The disk is a tape, and I mean that literally.",
            "One of the callers is a spreadsheet macro that nobody has the source of.",
        ),
    },
    "texts": {
        "deeper": (
            "I can follow the surface. What I want is what's said between the lines, and what was left out on purpose.",
            "There are two ways to read the last part. Which one would hold if it came to a dispute?",
            "Why would anybody phrase it like that? There must be something that it's meant to prevent.",
            "The obvious reading helps me, so I don't trust it. What speaks against it?",
        ),
        "constrained": (
            "It has to fit on a label of {num} by {n} centimetres.",
            "No word of more than three syllables, please, except names.",
            "It'll be read out over a loudspeaker, once, with a train coming in.",
            "Use at most {big} words, and don't touch a single number.",
            'Neither "please" nor "must" may occur in it; we\'ve had trouble with both.',
        ),
        "concrete": (
            "It concerns {name}, {num_old}, who has lived in {town} since {year} and has until the {num}th to react.",
            "{name} got it on {day}, together with a bill for {price} euros that nobody ordered.",
            "In our case it's about {n} rooms, {big} square metres and a letter from {month} that contradicts it.",
            "There was a first version in {year}; the only difference is {num} words at the end.",
        ),
        "reasoning": (
            "Then work out the last possible day if it was posted on {day} the {num}th and the Monday after is a "
            "holiday.",
            "Two statements in it can't both be right, I think. Which are they, or am I mistaken?",
            "Count for me who has to do something and who merely may, and in which order it has to happen.",
            "If {n} of the {num} people concerned say no, what follows from the wording?",
        ),
        "rare": (
            "Half of it seems to be a formula from before {year} that nobody uses any more.",
            "The person it was written for can't hear and reads lips in another language.",
            "It was carved on a bench in {town}, and part of it is missing.",
            'It comes from a trade in which "dead" is a compliment.',
        ),
    },
    "creative": {
        "deeper": (
            "The easy version writes itself, and I've got it in the drawer. I want the one that hurts.",
            "Let it be about what the two of them don't say, and make that audible.",
            "I'd like the reader to side with the wrong person until the second to last line.",
        ),
        "constrained": (
            "Without the letter K, if you please, and in exactly {num} sentences.",
            "Only questions. Not one statement in the whole thing.",
            "It will be performed by {n} people who can't see each other.",
            "Every sentence has to be shorter than the one before.",
        ),
        "concrete": (
            "It's {month} {year}, {town}, the third floor, and {name} has {num} minutes before the taxi comes.",
            "There was a real case: {name}, {num_old}, found {price} euros in a coat and gave them back to the wrong "
            "man.",
            "The setting is the night bus from {town}, seat {num}, with a cello in the aisle.",
        ),
        "reasoning": (
            "The times have to work out: {n} people, one key, and nobody was alone for more than {num} minutes.",
            "Every clue must be there by the middle, and two of them must point to {name}, who is innocent.",
            "Told backwards, please, and it has to make sense in both directions.",
        ),
        "rare": (
            "In the form of a lost-property register, entries {num} to {big}.",
            "As a radio play for one voice and a dripping tap.",
            "As the marginal notes of a monk who'd rather be fishing.",
        ),
    },
}
