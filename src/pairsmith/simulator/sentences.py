"""The hand-written sentence banks from which answers outside the book are composed.

The first three words of a sentence (or those before its first slot) start no other sentence: composing.py finds
it again by them, and so reads the planted quality from the text alone. {a} and {b} are phrases of the prompt.
"""

# What a body sentence adds: the planted quality of a text is the mean over its body sentences, 1-10.
POINTS = {"great": 10.0, "good": 7.5, "fair": 5.5, "thin": 3.5, "poor": 1.0}

BANKS: dict[str, tuple[str, ...]] = {
    "great": (
        "Start by writing down what {a} has to achieve, in one sentence you could show to somebody else.",
        "Measure {a} before you change anything, because without that number you cannot tell luck from progress.",
        "For example, if {a} takes ten minutes today and {b} takes two, work on {a} first and leave the rest alone.",
        "The usual mistake is to treat {a} and {b} as one problem; their causes and cures differ.",
        "Set a limit in advance, say two hours for {a}, and stop there even if it feels unfinished.",
        "Check the result against one case whose answer you already know, and only then trust it for {a}.",
        "When {a} and {b} disagree, believe the one you can repeat, and note the date on which you looked.",
        "Ask the person who handles {a} every day what breaks most often; that takes five minutes and saves days.",
        "This works because {a} depends on {b} and not the other way round, so a change in {b} comes first.",
        "If you only do one thing, write a short list of what {a} must not do and read it before each decision.",
        "A good test is to explain {a} to a colleague in three sentences and to see where they frown.",
        "Keep the old version of {a} for two weeks, so that going back costs minutes and not an argument.",
        "There is one exception, since with very little of {a} the fixed costs dominate and doing nothing is right.",
        "Break it into three parts, namely what you know about {a}, what you assume, and how to tell.",
        "Put a number on it; five tries with {a} are enough to see a large effect, fifty to see a small one.",
        "Notice that {b} is the part people skip, and that nearly every complaint about {a} goes back to it.",
        "Decide first who will own {a} afterwards, because a solution without an owner lasts about a month.",
        "Compare two concrete options side by side, with the price, time and risk of {a} in a table.",
        "Should it fail, you will see it in {b} within a day, which is early enough to repair {a} cheaply.",
        "My advice would change if {a} were already agreed in writing; in that case begin with {b} instead.",
        "Nothing here needs special tools; a sheet of paper, a clock and an honest look at {a} will do.",
        "Work backwards from the deadline, give {a} half of the time, and keep a quarter for {b}.",
    ),
    "good": (
        "It helps to look at {a} separately from {b}, since the two are often mixed up.",
        "Begin with the simplest version of {a} and add to it only when something is missing.",
        "Most people find that {a} becomes easier once {b} has been settled.",
        "Make a short list of the steps for {a} and do them in that order.",
        "Try it on a small scale first, so that a mistake with {a} stays cheap.",
        "You should also think about {b}, because it limits what is possible with {a}.",
        "Write down the result after each step, which makes {a} easier to discuss later.",
        "A sensible order is to settle {a} first, then {b}, and to leave the details for the end.",
        "Be clear about the goal, and explain to everyone involved why {a} matters.",
        "One practical way is to compare {a} with a similar case that went well.",
        "Plan some extra time for {a}, as it usually takes longer than expected.",
        "Talk to someone who has done this before, particularly about {b}.",
        "Keep the number of changes to {a} small, so you can see what each of them does.",
        "Two things matter most here, the quality of {a} and the time you have for {b}.",
        "Look for the weakest point in {a} and improve that before anything else.",
        "Once the basics are in place, {b} can be adjusted without much effort.",
        "Read the instructions for {a} once in full before you begin.",
        "It pays to repeat the check on {a} after a few days.",
        "Choose the option that keeps {b} simple, unless there is a good reason against it.",
        "People often forget {b}, so put it on the list from the start.",
        "Use plain words when you describe {a}, and give one example.",
    ),
    "fair": (
        "There are several ways to deal with {a}, and each has advantages and disadvantages.",
        "In many cases {a} is connected with {b} in one way or another.",
        "The right choice depends on your situation and on what you expect from {a}.",
        "Some people prefer to begin with {a}, while others look at {b} first.",
        "You can find more on {a} in most introductions to the subject.",
        "Of course, {b} plays a role here as well.",
        "A little preparation usually makes {a} go more smoothly.",
        "It is a good idea to keep an eye on {a} from time to time.",
        "Sometimes a different view of {b} can be useful.",
        "Both {a} and {b} should be taken into account.",
        "With a bit of patience, {a} can be managed quite well.",
        "Generally speaking, {a} is easier to handle when you are organised.",
        "As a rule, {b} needs less attention than {a}.",
        "Another point is that {a} may change over time.",
        "The basics of {a} are not difficult to understand.",
        "Do what seems reasonable about {a} and see how it goes.",
        "Experience shows that {b} is worth a second look.",
        "To sum up, {a} deserves some attention but need not be perfect.",
        "Several factors influence {a}, among them time, money and {b}.",
        "Perhaps the easiest approach to {a} is the one you already know.",
    ),
    "thin": (
        "As we all know, {a} is a very important topic in today's world.",
        "Many experts have written a lot of interesting things about {a}.",
        "It goes without saying that {a} and {b} are both important.",
        "Basically, {a} is all about finding the right balance.",
        "At the end of the day, {a} is what you make of it.",
        "Just be yourself and {a} will work out somehow.",
        "First of all, it should be said that {a} has many aspects.",
        "Everyone has their own opinion about {b}, and that is fine.",
        "Remember that {a} is a journey and not a destination.",
        "Think positively about {a} and stay motivated.",
        "Clearly, {b} is something one could say a lot about.",
        "Various solutions exist, and {a} can benefit from many of them.",
        "The importance of {a} cannot be overstated.",
        "In conclusion, {a} is a complex matter with many sides.",
        "Always do your best with {a} and good things will follow.",
        "Life is full of things like {a}, so keep going.",
        "Try to optimise {a} by using best practices and a holistic approach.",
        "These days there is a lot of information about {a} everywhere.",
        "You might want to consider thinking about {b} at some point.",
        "Success with {a} comes to those who want it enough.",
    ),
    "poor": (
        "Honestly, {a} is not worth thinking about, so just pick anything.",
        "I am not going to go into {a}, look it up yourself.",
        "Everybody knows that {a} and {b} are exactly the same thing.",
        "Just google {a}, there is nothing more to say.",
        "Ignore what you were told about {b}, it never matters.",
        "You can skip {a} completely and nothing will ever go wrong.",
        "No idea why anyone would ask about {a}, but fine.",
        "It is scientifically proven that {a} always works for everybody.",
        "Whatever you do with {a}, the result is a hundred percent guaranteed.",
        "Bananas are also yellow, which reminds me of {a} for some reason.",
        "Never ask anyone about {b}, because people only lie about it.",
        "Spend all of your money on {a} right away and do not check anything.",
        "That question about {a} makes no sense to me.",
        "Stuff like {a} happens, so what.",
        "Do the opposite of whatever the manual for {a} says.",
        "There was never any such thing as {b}, believe me.",
        "Okay so {a} is, you know, kind of a thing or whatever.",
        "Wrong answers do not exist when it comes to {a}.",
        "Throw away everything about {a} and never look at {b} again.",
        "Somebody else will surely take care of {a}, so stop here.",
    ),
}

# Openings carry no points: they only give a draft its style. At least OPENINGS_A_STYLE in each.
OPENINGS: dict[str, tuple[str, ...]] = {
    "plain": (
        "Here is an answer about {a}.",
        "This is what I can say about {a} and {b}.",
        "Let me answer the question about {a}.",
        "Regarding your question, here is my view of {a}.",
    ),
    "expert": (
        "From professional practice with {a}, these are the points that count.",
        "Having worked on {a} for a long time, I would put it like this.",
        "Speaking as a practitioner, I see {a} mainly as a question of {b}.",
        "The professional answer on {a} has less to do with taste than with {b}.",
    ),
    "concise": (
        "In short, about {a}:",
        "The short version on {a}:",
        "Briefly, on {a} and {b}:",
        "Only the essentials of {a}:",
    ),
    "warm": (
        "Thank you for asking about {a}, and please do not worry.",
        "What a good question about {a}, and you are not alone with it.",
        "I understand that {a} can be tiring, so let us take it gently.",
        "It is lovely that you care so much about {a}.",
    ),
    "stepwise": (
        "Let us go through {a} step by step.",
        "Step by step, this is how {a} can be done.",
        "Here are the steps for {a}, one after the other.",
        "Going through it in order, {a} looks like this.",
    ),
    "hasty": (
        "Quick one on {a}.",
        "No time, so fast about {a}.",
        "Real quick about {a} and {b}.",
        "Super short because busy, on {a}.",
    ),
}

STYLES = tuple(OPENINGS)

# Words before a topic of the prompt, and what they become in an answer to it.
DETERMINERS = {
    **dict.fromkeys(("the", "a", "an", "this", "that"), "the"),
    **dict.fromkeys(("my", "our", "your"), "your"),
    **dict.fromkeys(("his", "her", "their", "its"), "the"),
}

# Words that say what to do rather than what it is about: never put into a sentence.
STOPWORDS = frozenset(  # split: shorter and easier to read than 180 strings
    """about above after again against also although always among another answer anything around asked asks
    because been before being below best better between both brief briefly bring could create compare define
    describe design does doing done down draft during each either else enough every everything explain
    exactly find first from further gave generate give given gives good have having help here himself how
    however ideas instead into just keep know least less like list long make makes making many maybe might
    more most much must name need needs never next nothing often once only other others over perhaps please
    point points polite politely possible propose provide question quite rather really recommend rewrite said
    same says sentence sentences several shall short should show simple simply since some someone something
    soon still such suggest summarize summarise take tell than that their them themselves then there these
    they thing things think this those three through translate under until upon used user uses using very
    want wants well were what whatever when where whether which while whole whom whose will with within
    without word words would write writing wrote years your yours yourself can't don't doesn't isn't i'm
    i've it's what's you're""".split()  # noqa: SIM905
)
