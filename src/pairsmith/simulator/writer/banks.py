"""What people ask of an assistant: support, advice, creative work. Other families: tasks, texts, snippets, services.

Templates: [a|b] is one of the two, {slot} is filled (things.SLOTS, templates.forms). prompts.BANKS has all of them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bank:
    """One family's sentences: what is asked; what is told around it, or behind it alone; what is wanted."""

    asks: tuple[str, ...]
    tells: tuple[str, ...]
    adds: tuple[str, ...]
    wants: tuple[str, ...]


SUPPORT = Bank(
    asks=(
        'The {thing} I ordered {ago} still {has}n\'t turned up. Tracking has said ["with the driver"|"label '
        'created"|"held at the depot"] for {n} days. [Where {is} {it}|Who is looking for the parcel|Is it lost]?',
        "You've sent me the wrong {thing}. The delivery note in the box is for a certain {name} in {town}, who "
        "presumably has mine. [Do we swap|How do we sort this out|Should I post it on]?",
        "[Can I still return|Is it too late to send back] {a_thing} that I've already [used once|taken out of the "
        "box|tried to fit]? The receipt [is gone|has coffee on it|is in my wife's name].",
        "The {thing} [broke|came apart|gave up] after {n} weeks of [normal|careful|daily] use. Is that covered, or do "
        "you call it wear and tear?",
        "Charged twice for {a_thing}: {price} on {day}, {price} again the morning after. One order, one {parcel}. "
        "Please put one of the two back.",
        "Which {thing} do I need if there's no [label|number|marking] left to go by? I have [a ruler|photos|the "
        "manual from {year}] and some patience.",
        "Your shop page says the {thing} {is} [in stock|back on {day}|available in grey], your chat says {it} "
        "{was} discontinued. Who's right?",
        "I'd like to cancel the {thing} from order {order}. I pressed the button, it spun for a minute, then nothing. "
        "Did that count?",
        "so the {thing} arrived, the {other} didn't, both are paid. is the rest coming or do i have to order again",
        "The instructions for the {thing} stop at step {num}. There is clearly a step after that, because I have "
        "[two screws|a spring|a rubber ring] left over. What am I missing?",
        "You promised the {thing} for {day}. I took the day off. Nobody came, nobody rang. What happens now?",
        "[My neighbour|The woman downstairs|The corner shop] accepted a parcel for me, and now the {thing} inside {is} "
        "[scratched|bent|damp]. Who do I claim from, you or the carrier?",
        "Do you repair {a_thing} as well, or only sell new ones? Mine {is} from {year} and I'm fond of {them}.",
        "Why has the price of the {thing} gone up by {price} since {day}? I had {them} in my basket.",
        'The discount code from your newsletter takes nothing off the {thing}. It says ["not valid for this '
        'item"|"code already used"|"minimum not reached"], and your newsletter says the opposite.',
        "I need an invoice for the {thing} with [my company's address|the VAT shown|a different name] on it. The one I "
        "got is [a picture|for {price} too little|addressed to nobody].",
        "There's a [strange smell|fine grey dust|sticky film] on the {thing} I bought from you {ago}. Do I stop "
        "using {them} right away, or is that normal at the beginning?",
        "A gift went wrong: I bought {who} {a_thing}, and it turns out [there was one already|the size is off|it was "
        "the colour that was hated]. Can it be exchanged without telling anyone what I paid?",
        "Do you deliver the {thing} to [an island|a building site|a caravan park|a barge]? The postcode field won't "
        "take mine.",
        'I\'ve read the guarantee for the {thing} three times. Does "{num} months" start with the order, the delivery '
        "or the first use?",
        "Would the {thing} from {year} work together with the {other} you sell today? Your own comparison table "
        "contradicts itself on that.",
        "Your technician was here about the {thing}, stayed for ten minutes, and sent a bill for {price}. He mended "
        "nothing. I'm not paying that without an explanation.",
        "One of the {num} parts for the {thing} was missing from the bag, the smallest one of course. Can you post "
        "just that one?",
        "A review says your {thing} {does}n't last two winters. You sell {them} with a five-year promise. Convince me.",
        'I returned the {thing} on {day}, you signed for {them}, and the refund of {price} has been "in progress" '
        "ever since. Is there a person behind that progress?",
        "My account shows {a_thing} that I never ordered, going to an address in {town}. Please stop that before it "
        "ships, and tell me whether somebody has my password.",
        "How do I clean the {thing} without ruining {them}? The label has three symbols, and I recognise none of them.",
        "Can you hold the {thing} back until {day}? We're moving, and at the moment I own two addresses and no letter "
        "box.",
        "The {thing}, {num} times: would you do me a price? It's for a [club|school|small hotel], and we order every "
        "spring.",
        "Somebody at your counter told me the {thing} couldn't be ordered one at a time. Your website lets me. Before "
        "I pay: which is it?",
        "{Is} the {thing} safe for [a toddler|somebody allergic to nickel|somebody with weak hands]? The page goes on "
        "about the colour and says nothing on that.",
        "I want to complain, and not about the {thing}. It's how your colleague on the phone spoke to {who}, who "
        "is {num_old} and only asked when {it} would come.",
    ),
    tells=(
        "My order number is {order}.",
        "I have been a customer since {year} and never had reason to complain.",
        "I've written twice and got the same automatic reply both times.",
        "[It's needed|I need it] {soon}.",
        "I'm not very technical, so bear with me.",
        "I work shifts and can't be at home for deliveries.",
        "The shop in {town} sent me to you.",
        "I live on the fourth floor, and there's no lift.",
        "I'm asking for {who}, who doesn't do e-mail.",
    ),
    adds=(
        "I did look in your questions and answers, there's nothing like it.",
        "Photos are no problem, I have {n} of them.",
        "The box is still here, a bit battered.",
        "I paid by [bank transfer|card|voucher], if that matters.",
        "{name} at your hotline said it would take two days; that was {ago}.",
        "To be fair, the first one I had from you lasted for years.",
        "I don't have a printer, so please no labels to print.",
        "It was a present, and the birthday is {when}.",
        "It may well be my own mistake.",
        "I've kept every receipt.",
        "We're abroad until the {num}th.",
    ),
    wants=(
        "Please answer with yes or no first and the reasons after that.",
        "Please, no voucher.",
        "I don't want an apology, I want a date.",
        "Tell me what you need from me, all at once if possible.",
        "What would you do in my place?",
        "A short answer is fine.",
        "And who pays the postage?",
        "If the answer is no, say so, I can take it.",
        "Please don't ask me to ring that number again.",
        "How long will that take, honestly?",
        "Is there a form, or is this message enough?",
        "Please confirm it in writing.",
        "If there's a cheaper way, I'd rather hear about that.",
        "Could somebody who knows the product read this?",
        "What are my rights here?",
    ),
)

ADVICE = Bank(
    asks=(
        "{Who} has asked to borrow {sum} euros from me for the third time. The first two loans are still open. How do "
        "I say no without losing the friendship?",
        "I've been offered a job in {town} with more money and a worse journey: {big} minutes each way instead of ten. "
        "Help me think it through, I've been going round in circles.",
        'My colleague {name} presents my work as "ours" in every meeting. I don\'t want a war. What can I say the next '
        "time, in the room?",
        "Should I tell {who} that the surprise party is a bad idea? Everybody else is enthusiastic, and it's {when}.",
        "The people upstairs [move furniture|practise the trumpet|run the washing machine] after eleven at night. I've "
        "been friendly twice. What's the step between friendly and a lawyer?",
        "I promised to help {who} with the move {soon} and have just been told I can work overtime for double pay. "
        "What's decent here?",
        "After {long} of looking after {who} I'm tired and short with everybody. What can I change that doesn't need "
        "anybody's permission?",
        "I have to give a speech at a [funeral|retirement do|wedding] and I cry easily. Any tricks that work?",
        "We're {n} siblings, one house, and nobody wants to be the one who brings up selling it. How does one start "
        "that conversation?",
        "I was overpaid by {sum} last month, and nobody has noticed. I know what I should do. How do I put it so that "
        "I don't end up explaining the mistake of the woman in payroll?",
        "{Who} keeps giving us [enormous plants|soft toys|home-made liqueur] and asks where they are at each visit. "
        "We've run out of room. Ideas?",
        'My boss wants me on call at weekends "for the time being". There\'s nothing in my contract. What would you '
        "answer, and in which tone?",
        "I want to learn to swim at {num_old}. The thought of the changing room nearly stops me. Where do I begin?",
        "Our daughter ({num_kid}) wants to give up the violin after {n} years. We've paid for every one of them. Do we "
        "let her?",
        "Is it rude to ask {who} for petrol money? It's {num} kilometres every {day}, and I'm the one with the car.",
        "I found out by accident that {name}, who has the same job, earns {sum} more a month. What do I do with that?",
        "How do I get back into running after {long} off? Last time I was too keen and hurt my knee in week two.",
        "I'm the only one in my team who works part-time, and the meetings keep moving to {day}, my day off. How do I "
        "bring that up without sounding like a nuisance?",
        "Which would you do first with {big}0 euros: pay off the overdraft, mend the roof, or keep it for the car, "
        "which is from {year}?",
        "My best friend's new partner talks over her all evening. She hasn't asked me what I think. Do I keep quiet?",
        "I said yes to being treasurer of our [choir|allotment club|football club] and have understood since what that "
        "means. How do I get out by {month} with some dignity?",
        'The doctor said "keep an eye on it" and I nodded. What would sensible people ask at the next appointment?',
        "I can't get up in the morning. Not sad, not ill, just {n} alarms and late every day. What has helped people "
        'like me, apart from "go to bed earlier"?',
        "We'd like to tell {who} that we won't be coming for Christmas this year. It has always been there. Please "
        "help me with the when and the how.",
        "How do I say in a job interview that I left after {n} months because the boss shouted?",
        "A student I tutor has handed in something that she can't have written. She's {num_kid}, and she's proud of "
        "it. How do I talk to her?",
        "My flat is [damp|too small|overheated], the landlord is kind, and the rent is low. At what point does one "
        "leave?",
        "I've started {n} language courses and finished none. Should I try again, or admit something?",
        "{Who} has been sending me long voice messages every day since the divorce. I care, but I dread them. What's "
        "a kind limit?",
        "Is {span} a reasonable time to wait for an answer after a second interview? And if so, what do I write then?",
        "My son ({num_kid}) wants to spend his savings, all {big} of it, on a second-hand games console. It's his "
        "money. It's also a wreck. What do I do?",
        "I'm moving in with my partner after {n} years of living alone. What should we settle before, on paper or not?",
    ),
    tells=(
        "I've slept badly over this for {long}.",
        "I'm {num_old}, if that changes anything.",
        "Money is tight, but that isn't the point.",
        "I once did this badly with {who}, and we didn't speak for {long}.",
        "I tend to say too much when I'm nervous.",
        "I've never told anybody about this.",
        "We're a small office, {n} of us.",
        "I live in {town} now, the rest of the family doesn't.",
        "Everyone I ask has a stake in it.",
    ),
    adds=(
        "There is no villain here, that's what makes it hard.",
        "We see each other every week, so it can't be avoided.",
        "{Who} thinks I'm making too much of it.",
        "They're good people, really.",
        "It has to be decided {soon}.",
        "Talking face to face is possible, writing would be easier for me.",
        "I have already tried saying nothing.",
        "It isn't urgent, just constantly there.",
        "It began {ago}, with something quite small.",
    ),
    wants=(
        "Please give me two or three sentences that I could actually say.",
        "I don't need comfort, I need a plan.",
        "What would speak against it?",
        "Which question have I not asked myself?",
        "Please be blunt.",
        "One good idea is better than ten.",
        "What would a wise aunt say?",
        "Start with the thing I can do today.",
        "No lists, please, talk to me.",
        "What's the worst that could happen, realistically?",
        "If you were to bet, how does this end?",
        "And how would I notice that I was wrong?",
        "Please leave out therapy as an answer, I'm on a waiting list.",
        "Say which of it is opinion.",
    ),
)

CREATIVE = Bank(
    asks=(
        "Write a short story that begins with {topic} and ends with [an apology|a locked door|somebody laughing].",
        "A poem about {topic}, please, {num} lines, and I'd like it to rhyme without sounding like a greeting card.",
        "I need a toast for {who}, {n} minutes at most. What must be in it: {topic}, and the summer of {year}.",
        "Write a dialogue between two people who both want {topic} and are far too polite to say so.",
        "Give me {n} first sentences for a novel in which {topic} [goes missing|is inherited|is never mentioned "
        "again].",
        "Please write an obituary, affectionate and a little cruel, for {topic}.",
        "A bedtime story for a child of {n} about {topic}. The last one had a wolf in it, so: no wolves.",
        "Invent a small village tradition around {topic}, and describe it as the local paper of {town} would.",
        "My story is stuck. {name} has just discovered {topic} in the cellar, and I have no idea what kind of person "
        "she is. Give me three different next paragraphs.",
        "Write a monologue for an actress of {num_old}. She's waiting for a bus, and all she talks about is {topic}; "
        "the audience should understand that she's been left.",
        "I'd like a limerick about {topic} for the [office party|parish newsletter|back of a menu]. Clean enough for "
        "my mother.",
        "Describe {topic} to somebody who has been blind from birth, in one paragraph without a single comparison to "
        "sight.",
        "Write the worst possible advertising text for {topic}, the kind where you can hear the agency being pleased "
        "with itself.",
        "Two old friends in {town} fall out over {topic}. Tell it as {n} text messages, nothing else.",
        "A love letter in which neither the word love nor any other big word appears. It should be mostly about "
        "{topic}.",
        "Turn {topic} into a fairy tale with a heroine who solves it by [bookkeeping|bad manners|waiting].",
        "Write a scene at a kitchen table, {year}, three generations. They talk about {topic}; nobody mentions the "
        "letter.",
        "I collect ghost stories without ghosts. Write me one around {topic}, a page long.",
        "Please write song lyrics about {topic}: two verses, a chorus that an eight-year-old could shout, one line "
        "that hurts.",
        "Compose a complaint to the gods about {topic} in the style of an ancient inscription.",
        "Give {topic} a voice. What would it say about us on a {day} morning? Half a page, dry humour.",
        "My improvisation group needs {num} scene ideas that have to do with {topic} and can be played by {n} people.",
        "A crime story in under {big} words: the only clue is {topic}, and the inspector is wrong.",
        "Write a recipe that is really a farewell. The ingredients include {topic}.",
        "Help me name things: I need ten names for a [café|boat|podcast] that has something to do with {topic}, none "
        "with a pun.",
        "Rewrite the beginning of the world so that {topic} comes first.",
    ),
    tells=(
        "We're a writing group of {num}, and it's my turn.",
        "I need something for the wall of a waiting room.",
        "The last thing I was given could have been about anything.",
        "{Who} turns {num_old} {soon}.",
        "I've got a title and nothing else.",
        "It's meant for radio.",
        "It's for {who}, who will notice every cliché.",
        "It will be read aloud {soon}.",
        "I teach a writing class on {day} evenings and want an example.",
        "I like short sentences.",
    ),
    adds=(
        "I've tried it myself, and it came out sentimental.",
        "Think of a wet {day} in {town}.",
        "The mood is somewhere between funny and sad.",
        "It goes into a little booklet, {num} copies.",
        "The readers know {name}, so that name would be good to have in it.",
        "English isn't the first language of everybody there.",
        "The main character should be {num_old} or older.",
        "It's set in {month}.",
        "We only have {n} minutes on stage.",
    ),
    wants=(
        "No moral at the end.",
        "Keep it under {big} words.",
        "Please avoid the words heart, soul and journey.",
        "Present tense.",
        "Surprise me in the middle, not at the end.",
        "Make it sound like a person, not like literature.",
        "Leave one thing unexplained.",
        "A title, too.",
        "No adjectives, if you can manage that.",
        "Let the weather play no part.",
        "Then tell me in one line which sentence you'd cut first.",
        "It may be a little mean.",
        "Don't explain the joke.",
    ),
)
