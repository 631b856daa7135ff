"""What people put into their prompts: letters to explain, comments to decide on, sentences to translate.

Composed like banks.py; every text stands whole in its prompt.
"""

from pairsmith.simulator.writer.banks import Bank

# Official prose, by matter: two or three sentences of one matter make a passage.
PASSAGES: dict[str, tuple[str, ...]] = {
    "tenancy": (
        "The deposit shall be retained until such time as all claims arising from the tenancy have been determined.",
        "Ancillary costs are apportioned according to floor area, unless consumption is recorded by meter.",
        "Sub-letting, whether in whole or in part, requires the prior written consent of the landlord, which may be "
        "withheld for good cause.",
        "The tenant undertakes to carry out minor repairs up to an amount of {price} euros per item at his own "
        "expense.",
        "Notice of termination must reach the other party by the third working day of a calendar month in order to "
        "take effect at the end of the month after next.",
        "Structural alterations are to be reversed upon vacating the premises, save where the landlord elects to "
        "retain them without compensation.",
        "The rent is linked to the consumer price index and may be adjusted once in every {num} months.",
        "Access for inspection shall be granted upon reasonable notice, which in cases of imminent danger may be "
        "dispensed with.",
    ),
    "insurance": (
        "Benefits are payable subject to a deductible of {price} euros per insured event.",
        "Damage caused by gross negligence entitles the insurer to reduce its performance in proportion to the degree "
        "of fault.",
        "The policyholder must notify the insurer of the event without undue delay, and at the latest within {num} "
        "days of becoming aware of it.",
        "Cover commences upon receipt of the first premium, notwithstanding the date stated in the policy.",
        "Valuables are indemnified up to {num} percent of the sum insured, unless kept in a locked receptacle of at "
        "least 200 kg.",
        "Loss of data, and consequential loss of whatever nature, are excluded.",
        "In the event of under-insurance, compensation is paid only in the ratio of the sum insured to the insured "
        "value.",
        "The contract is tacitly renewed for a further year unless terminated three months prior to expiry.",
    ),
    "health": (
        "MRI of the lumbar spine: moderate disc protrusion L4/5 without nerve root compression, mild facet "
        "arthropathy.",
        "Conservative management advised; surgical opinion only in the event of neurological deficit.",
        "Findings consistent with a benign cyst of {num} mm; no enhancement, no suspicious features.",
        "Take one tablet twice daily with food for {num} days; discontinue in case of rash and seek medical attention.",
        "Blood pressure borderline on three occasions, 24-hour monitoring recommended prior to initiation of therapy.",
        "Ferritin {num} µg/l, transferrin saturation reduced, haemoglobin within normal limits.",
        "The patient was informed of the risks, in particular of post-procedural bleeding and transient dysphagia.",
        "Adverse reactions, occurring in up to 1 in 100 patients, include vertigo, xerostomia and nocturia.",
        "Follow-up in {n} months, earlier in the event of progressive symptoms.",
    ),
    "employment": (
        "Overtime is deemed to be compensated by the salary to the extent that it does not exceed {num} hours per "
        "month.",
        "Entitlement to leave not taken by 31 March of the following year lapses without substitution.",
        "Secondary employment must be notified in advance and may be prohibited where legitimate interests so require.",
        "All claims arising from the employment relationship shall be forfeited unless asserted in text form within "
        "{n} months of falling due.",
        "The employee shall repay the cost of the training, reduced by one twenty-fourth for each full month, should "
        "he leave at his own request.",
        "In the event of incapacity for work, a medical certificate is to be furnished by the third day at the latest.",
        "The company reserves the right to assign other duties of equal value, including at another location.",
        "A bonus, where granted, is voluntary and gives rise to no entitlement for the future, even upon repeated "
        "payment.",
    ),
    "authority": (
        "The assessment is provisional in accordance with section {num} and may be amended at any time until the "
        "limitation period has run.",
        "An objection does not suspend the obligation to pay; a stay of execution may be applied for separately.",
        "Proof of income for the past {n} months is to be enclosed; incomplete applications will be returned "
        "unprocessed.",
        "The fee amounts to {price} euros and falls due upon service of this notice.",
        "Should you fail to comply within the period set, a coercive fine may be imposed without further warning.",
        "The permit is granted subject to revocation and does not replace consents required under other provisions.",
        "Persons exempt from the charge remain under a duty to submit the declaration in due time.",
        "Works may not commence until the notice of completeness has been issued and {num} working days have elapsed.",
    ),
    "money": (
        "Early repayment is permitted subject to compensation, which shall not exceed one percent of the amount "
        "repaid.",
        "The nominal rate is fixed until {month}, whereafter it follows the three-month reference rate plus {n} "
        "percentage points.",
        "Direct debits returned for reasons for which the customer is responsible incur a charge of {price} euros.",
        "Past performance is not a reliable indicator of future results, and redemption may be suspended in "
        "exceptional circumstances.",
        "The overdraft facility may be terminated at any time without observance of a period of notice.",
        "The guarantor waives the defence of failure to pursue remedies against the principal debtor.",
        "Ongoing costs of {n} percent per annum are deducted from the fund's assets and are not charged separately.",
        "Objections to the closing of accounts must be raised within {num} weeks of receipt; silence constitutes "
        "approval.",
    ),
    "club": (
        "The general assembly constitutes a quorum irrespective of the number of members present, provided it was duly "
        "convened.",
        "Members in arrears with their subscription for more than {num} months may be struck off by resolution of the "
        "board.",
        "The board is elected for {n} years and remains in office until a successor has been validly appointed.",
        "Motions must be received by the chair no later than {num} days before the meeting; urgent motions require "
        "two thirds of the votes cast.",
        "Upon dissolution the assets devolve to a tax-privileged body, to be used exclusively for charitable purposes.",
        "Honorary members enjoy the right to speak but not the right to vote.",
        "Reimbursement of expenses is limited to amounts actually incurred and evidenced by receipts.",
    ),
}

# Plain prose to be cut down: notes, mails, reports. Two or three make a text.
NOTES = (
    "The meeting began {num} minutes late because the key to the hall was with {name}, who had been told the wrong "
    "{day}.",
    "We agreed to move the flea market to {month} and to ask {name} about the tables.",
    "Costs so far come to {sum} euros, of which about a third went into repairs that nobody had planned.",
    "{name} reported that {big} people had filled in the form and that most complaints were about noise and parking.",
    "It remains open who answers the letter from the council; the deadline is {when}.",
    "The first attempt failed because the parts came from two suppliers and didn't fit each other.",
    "After {long} of trying, the old heating was given up, and the offer from {town} was accepted by {num} votes to "
    "{n}.",
    "Several parents said that the bus leaves before the lesson ends, which means that {n} children miss the last "
    "part.",
    "The new software saves time in accounting, costs time in the warehouse, and has lost {num} orders since {month}.",
    "There was a long discussion about the colour of the doors, which led to nothing.",
    "{name} will write to the insurer, {name_b} takes care of the photographs, and everything is to be ready {soon}.",
    "Visitors came mostly from {town}, stayed for {span} on average, and hardly ever found the second floor.",
    "The storm of {month} took {num} trees and the roof of the boat shed; the boats themselves were elsewhere by pure "
    "luck.",
    "We tested {n} versions, and the cheapest one was liked best as long as nobody knew the price.",
    "Staff turnover fell from {big} to {num} a year, probably because shifts are now fixed {n} weeks ahead.",
    "A second quotation is {sum} euros lower but leaves out the scaffolding.",
)

SUMMARISATION = Bank(
    asks=(
        'What is this trying to tell me? "{passage}"',
        'Got this in the post today and have read it four times. What do they want from me? "{passage}"',
        'Please put this so that {audience} can follow it: "{passage}"',
        'Explain this to {who}, who worries easily, without making it sound better than it is: "{passage}"',
        'Is there anything in here that could cost me money? "{passage}"',
        'I\'m supposed to sign this {soon}. Say it plainly, one sentence for each of theirs: "{passage}"',
        'Which part of this is a duty, which is a right, and which is just noise? "{passage}"',
        'Two friends read this in two ways. Who could be right? "{passage}"',
        'Rewrite it as if you were telling me over the garden fence: "{passage}"',
        'Turn this into a notice for {audience}, short sentences, nothing left out: "{passage}"',
        'In {n} sentences, what\'s this about? "{notes}"',
        'Only the decisions from this, please, no opinions and no history: "{notes}"',
        'Make this half as long. I need it for the newsletter, and every number has to survive: "{notes}"',
        'What would you tell {who} on the phone if you\'d just read this? "{notes}"',
        'Write a summary for somebody who was there and one for somebody who wasn\'t: "{notes}"',
        'Who has to do what by when? As a list: "{notes}"',
        'One headline and one sentence below it for this, please: "{notes}"',
        'What\'s missing in this report that a careful reader would ask about? "{notes}"',
    ),
    tells=(
        "I've been staring at this since {day}.",
        '{Who} handed me this and said "you understand such things".',
        "It's one of {num} letters, and the shortest.",
        "I have to explain it to {audience} {soon}.",
        "Nothing is signed yet.",
        "I used to skip letters like this, and it cost me {price}.",
        "Two people at the table, two meanings.",
        "It's from {who}'s {landlord}.",
        "I can read, I just can't read that.",
        "English isn't my first language.",
        "I've got an appointment about it {soon}.",
        "My glasses and my patience are both at an end.",
    ),
    adds=(
        "There's a date in it, and dates make me nervous.",
        "Nobody at the counter had time to explain it.",
        "I'm asking for {who}, who's {num_old}.",
        "It came without any covering letter.",
        "I have a rough idea, but I'd rather not bet on it.",
    ),
    wants=(
        "Please keep every number.",
        "At most {big} words.",
        "And tell me what happens if I do nothing.",
        "No legal terms, not even explained ones.",
        "If something in it is unclear even to you, say so.",
        "Say first whether it's urgent.",
        "What would be a sensible first step?",
        "Don't comfort me, just say what it says.",
        "As bullet points, five at the most.",
        "Is that usual, by the way?",
    ),
)

TRANSLATION = Bank(
    asks=(
        'How do I say this in {lang} so that it doesn\'t sound like a machine? "{saying}"',
        'Please translate into {lang}, for a sign by the [door|lift|pool]: "{saying}"',
        '{Lang} please, but friendlier than the original, it\'s for {who}: "{saying}"',
        'Is my {lang} version too formal? I mean: "{saying}" Give me yours, and one a teenager would use.',
        'I have to send this to a supplier in {lang} {soon}. Polite but with teeth: "{saying}"',
        'Translate for a menu, an allergic guest must be able to rely on it. Target language: {lang}. "{dish}"',
        'Two versions in {lang}, one to be spoken and one to be printed: "{saying}"',
        'Put this into {lang} without losing the joke, or tell me that it can\'t be done: "{saying}"',
        'What would a native speaker of {lang} put on a postcard instead of "{saying}"? Literally is no use to me.',
        'I need this in {lang} and back again in English, so that I can see what got lost: "{saying}"',
        'Into simple {lang}, please. The readers are new in the country: "{saying}"',
        '{name} wrote me this and the app made nonsense of it in {lang}. Please do it properly: "{saying}"',
        'Subtitle for a film, {lang}, at most 42 characters a line: "{saying}"',
        'How would a {lang} lawyer have written this? And how a {lang} grandmother? "{saying}"',
    ),
    tells=(
        "It's going on a card.",
        "{Who} will read it out loud.",
        "This has to leave the house {soon}.",
        "My dictionary is from {year}.",
        "I've got a draft, but I don't trust it.",
        "We're a small place with {num} guests, half of them from abroad.",
        "We're on first-name terms.",
        "I know a little {lang}, enough to be embarrassed.",
        "I'll have to read it out, so mark the stress for me.",
    ),
    adds=(
        "The reader is {num_old} and quite strict.",
        "It gets engraved, so it has to be right.",
        "There's room for {num} words at most.",
        "It's about {topic}, as background.",
        "The last translation I was given offended somebody.",
    ),
    wants=(
        "Please say which word you hesitated over.",
        "No footnotes.",
        "Keep names and times as they are.",
        "And is there anything in it that one wouldn't say there?",
        "Give the literal meaning below.",
        "Neither too stiff nor chummy.",
        "British conventions for the date, please.",
        "If there are two ways to address people, use the safer one.",
    ),
)

SAYINGS = (
    "The kitchen closes at {n}, but if you ask nicely there's usually soup.",
    "Please don't feed the geese, they remember faces.",
    "I'm afraid we can't accept the delivery of {day}: {num} boxes were wet, and one was somebody else's.",
    "We'd be glad to have you with us {soon}, children and instruments included.",
    "The lift is out of order until {day}. The stairs are not.",
    "Thank you for looking after {name_b}. Since then we have heard of nothing but your garden.",
    "Contains nuts and celery. Can be made without the nuts if you tell us beforehand.",
    "Your invoice {order} is {num} days overdue, and this is the last friendly reminder.",
    "I would have come, but the last bus had other plans.",
    "Wash at thirty degrees, dry in the shade, and never tell my mother.",
    "He isn't stubborn, he's thorough, and he has been thorough since {year}.",
    "Whoever borrowed the ladder: we're not angry, we'd just like to come down.",
    "The deposit of {price} euros is returned once the keys are back and the flat is swept.",
    "We regret to inform you that the position has been filled. Your letter was the best of {big}.",
    "It's not the years, it's the stairs.",
    "Bring sturdy shoes, something warm, and no expectations.",
    "The patient may get up but should not lift anything heavier than a teapot.",
    "Happy birthday! May your knees hold and your neighbours move.",
    "If the alarm sounds, leave everything, take the person next to you, and meet by the oak.",
    "We are moving house, so from {month} on our quarrels will be heard in {town}.",
    "You asked for my honest opinion, which is why I waited {long}.",
    "The offer stands until {day} and not a minute longer, unless you bring cake.",
    "No parking. Not even for a minute. Not even for you.",
    "I haven't forgotten you, I've only been busy forgetting everything else.",
)

MODERATION = Bank(
    asks=(
        'I moderate a [neighbourhood group|football forum|parents\' chat|hobby forum]. Someone wrote: "{comment}" '
        "[Delete, answer or leave it|Is that an insult or just rude|Would you take that down]?",
        "Reported {n} times today, and I can't tell whether it breaks anything: \"{comment}\" What's your call?",
        'Our rule says "no personal attacks". Does this fall under it? "{comment}"',
        'Please sort this into allowed, borderline or not allowed, with one sentence of reason: "{comment}"',
        'A member I like has posted this: "{comment}" I don\'t want to be unfair in either direction. What do I do?',
        'Draft a message to whoever wrote "{comment}" It should explain why the post is gone, without a lecture.',
        'Is this irony? "{comment}" Half of my readers think so, the other half want {name} banned.',
        'My filter has caught this one, and I suspect it\'s harmless: "{comment}" What would justify keeping it out?',
        'Which of our two rules matters here, "stay on topic" or "no advertising"? The post: "{comment}"',
        'I\'ve got two comments and can only let one through. First: "{comment}" Second: "{comment_b}" Which, and why?',
        'The author of this is {num_kid}, as far as I know: "{comment}" Does that change how one ought to react?',
        'Does this contain anything private about a third person that I have to remove? "{comment}"',
    ),
    tells=(
        "I've been doing this for {long} and still hate it.",
        "It's {day} evening, and the reports keep coming in.",
        "We're a group about gardening, of all things.",
        "There are {n} of us deciding, and we're split.",
        "I'd like to be able to look both sides in the eye.",
        "Our rules fit on half a page.",
        "The group has {big}0 members, and I'm the only moderator awake.",
        "It's a public page, children read it too.",
        "We have a rule against advertising and none against bad manners.",
        "Last week I deleted something milder and was called a censor.",
        "I have to justify it to the board {soon}.",
    ),
    adds=(
        "The same person had a warning in {month}.",
        "The thread is about {topic}.",
        "The person meant has already seen it.",
        "Everybody there uses real names.",
        "There's history between the two.",
    ),
    wants=(
        "Decide first, explain afterwards.",
        "Which rule would you write so that it's clear next time?",
        "Please argue the other side as well.",
        "Keep it to three sentences.",
        "And do I owe anybody an explanation?",
        "What would change your mind?",
        "Say how sure you are.",
        'No "it depends" without saying on what.',
    ),
)

COMMENTS = (
    "People like {name} are the reason nobody comes to the meetings any more.",
    "lol, ask him where the {sum} euros from the summer party went",
    "My cousin sells exactly that, half the price, message me, he's in {town}.",
    "If you believe that, I've got a bridge to sell you, and a monthly plan for the toll.",
    "She lives at number {num}, the one with the red door, go and tell her yourselves.",
    "I hope your car doesn't start on {day}. Or ever.",
    "Nobody over {num_old} should be allowed to vote on the playground.",
    "This is the third post about that dog. Some of us have real problems.",
    "Great talk!!! I lost {num} kilos with these drops, link in my profile.",
    "I'm not saying he did it. I'm saying he has the key, a grudge and a van.",
    "You people never answer, you only delete. See you in court.",
    "As a doctor I can tell you that {n} spoonfuls of vinegar do more than the pills.",
    "Careful, {name} cries easily, we all remember the barbecue.",
    "Whoever scratched my bike: I have a camera, a lawyer, and no hobbies.",
    "They should send them all back to {town}, where parking like that is normal.",
    "Does anybody have the teacher's private number? It's about my son's mark.",
    "I would rather eat my {thing} than buy there again.",
    "Honestly, the old board was corrupt and the new one is merely lazy.",
    "Sold. Wrong group, sorry, but if anyone wants a sofa, {sum}, no haggling.",
    "That photo of the class: was that agreed with all the parents?",
    "Another genius who has read one article. Sit down, {name}.",
    "I feel so low these days that I sometimes think nobody would notice.",
)
