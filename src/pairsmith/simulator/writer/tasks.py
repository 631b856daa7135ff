"""What people want worked out or explained: sums and arguments, and everything that is no other family's."""

from pairsmith.simulator.writer.banks import Bank

REASONING = Bank(
    asks=(
        "A bus leaves {town} every {num} minutes and a train every {big} minutes. Both left together at seven. When "
        "do they next leave together, and how often does that happen in a day?",
        "{name} is {num} years older than the youngest cousin. In {n} years that will be twice the child's age. How "
        "old are both now? Check it, I keep getting something impossible.",
        "We're {num} people and want to split a bill of {sum} so that the {n} who drank nothing pay a third less than "
        "the others. Who pays what?",
        "A tank holds {big}0 litres and loses {num} litres a day through a crack. I refill {big} litres every {day}. "
        "It's full on a {day}. Does it ever run dry?",
        "I have {n} red socks, {num} blue ones and a power cut. How many do I have to take out to be sure of a pair, "
        "and how many to be sure of a blue pair?",
        "Is this argument sound? All the members who paid in {month} got a letter. {name} got a letter. So {name} "
        "paid in {month}.",
        "Five people sit in a row. {name} isn't at either end, the doctor sits next to the baker, and the youngest is "
        "somewhere to the left of both. How many orders are there?",
        "My electricity costs 0.3{digit} a kWh with a fee of {num} a month, or 0.2{digit} with a fee of {big} a "
        "quarter. From what use on is the second tariff cheaper?",
        "A test finds {big} out of 500 sick people and is wrong about {num} in 1,000 healthy ones. One person in 200 "
        "is sick. My test is positive. How worried should I be?",
        "Two candles, same length. One burns down in {n} hours, the other in {num}. When is one exactly twice as long "
        "as the other?",
        "We need {num} volunteers over {n} days, nobody may work two days running, and everybody comes at least "
        "twice. What's the smallest number of people we can do it with?",
        "Four suspects, one of them lies: {name} says it was the gardener, the gardener says it was the cook, the "
        "cook says the gardener lies, the nephew says it wasn't him. Who did it?",
        "If I save {price} a month at {n} percent a year, interest added each {month}, after how many years do I have "
        "{big}00? Show me where the rounding comes in.",
        "A shop raises a price by {num} percent and then advertises {num} percent off. Is that the old price? By how "
        "much is it not, for something that cost {sum}?",
        "I drive {big} km at 80 and the same way back at 1{digit}0. Why is my average not the middle of the two? And "
        "what is it?",
        "How many different teams of {n} can one pick out of {num} people if {name} and {name_b} may not be in one "
        "team?",
        "A recipe for {n} people takes {num}0 g of flour and a tin of 26 cm. I have a tin of 20 cm. How much flour, "
        "and how does the baking time change?",
        "The clock in our hall loses {num} minutes a day. I set it right on a {day} at noon. When does it next show "
        "the right time?",
        "Which of two offers is better: {big} euros a day for {num} days, or one cent on the first day, two on the "
        "second, doubled every day for {num} days? Estimate first, then work it out.",
        "In a league of {num} clubs everybody plays everybody twice, on {day}s only, {n} matches a {day}. How many "
        "weeks does the season take?",
        "{big} tickets have been sold, {num} people don't turn up, and a third of the rest leave at the interval. The "
        "caterer wants to know how many will eat afterwards. What do I tell him, and how sure can I be?",
        "Our scale is off: it shows {num} g too much below a kilo and {n} percent too little above it. It shows "
        "1,2{digit}0 g. What can the parcel really weigh?",
        "A snail climbs a wall of {big} cm, {num} cm by day, and slides {n} cm back by night. On which day is it up? "
        "My son and I disagree by one.",
        "From these facts, who has the dog? There are three houses. {name} doesn't live in the middle. The cat lives "
        "next to the postman. The postman isn't in the first house, and the dog isn't next to the cat.",
    ),
    tells=(
        "My son and I have been arguing about this since breakfast.",
        "I want to understand it, not just have it.",
        "The caretaker asked me this, and I couldn't answer.",
        "There's a cake in it for whoever is right.",
        "I've tried it with a drawing and with small numbers.",
        "We need the answer {soon}, so that we can order.",
        "I'm {num_old}, and my last maths lesson was a while ago.",
        "This is for a pub quiz in {town}, {soon}.",
    ),
    adds=(
        "My own result differs from my colleague's by {num}.",
        "It came up at dinner with {who}.",
        "There may be a trap in it.",
        "I've got as far as a table with {n} columns.",
        "I want to be able to explain it to {who} afterwards.",
        "Assume whole numbers unless that's impossible.",
        "Somebody online claims the opposite.",
        "I don't trust the obvious answer.",
    ),
    wants=(
        "Show the steps, one line each.",
        "Just the result and one sentence on why.",
        "Where does the obvious solution go wrong?",
        "Say which assumptions you make.",
        "Then check it with other numbers.",
        "No algebra, if it can be helped.",
        "How would the answer change with one more?",
        "If there isn't enough information, tell me what's missing.",
        "Give me a rule of thumb, too.",
    ),
)

OTHER = Bank(
    asks=(
        "What do most people get wrong about {topic}?",
        "I keep reading about {topic}, and each page says something else. What is agreed on, and what isn't?",
        "Explain {topic} to me as you would to [a clever twelve-year-old|a tired adult|somebody who distrusts "
        "experts].",
        "My boss wants half a page on {topic} by {day}. What belongs on it, and what can I leave out?",
        "Make me a checklist for {topic} that fits on one card. I'll be standing in the rain when I need it.",
        "Which {n} questions should I ask before I [spend money on|sign anything about|make a decision on] {topic}?",
        "What has changed about {topic} since {year}? I learned it then and haven't looked since.",
        "Compare the two usual ways of dealing with {topic}: effort, cost, what can go wrong. I can only do one of "
        "them.",
        "I have to explain {topic} to {audience}, and I've got {span}. Where do I start?",
        "Is there anything about {topic} that sounds harmless and isn't?",
        "Quiz me on {topic}: {num} questions, rising in difficulty, with the answers at the bottom.",
        "How much does {topic} really cost in the end, once everything is counted? A range is enough.",
        "Plan [a weekend|a long evening|three days] around {topic} for {n} people of whom one is bored easily and one "
        "is vegetarian.",
        "We argued about {topic} at lunch. {name} says it's all habit, I say there are reasons. Who's closer?",
        "What's the plain word for the thing in {topic} that everybody complains about and nobody names?",
        "I need an email to {name} about {topic}: polite, firm, and short enough to be read on a phone.",
        "List the papers, tools and phone numbers that somebody dealing with {topic} for the first time ought to "
        "have at hand.",
        "Give me the strongest case for and the strongest case against {topic}. I want to be unable to tell which you "
        "prefer.",
        "How would I know in {n} months whether {topic} has worked out? I mean something I can count.",
        "Who decides about {topic}, who only thinks they do, and whom do I write to?",
        "I did everything by the book with {topic}, and it still went wrong. What are the usual causes, the likeliest "
        "first?",
        "Turn my notes on {topic} into an agenda: what it costs, who's against it, what {name} found out {ago}, the "
        "date. {num} minutes altogether.",
        "Where does the word for {topic} come from, and did it always mean that?",
        "Suppose I have {price} and one free {day}. What's the most useful thing I can do about {topic}?",
        "Tell me about {topic} in three lengths: one sentence, one paragraph, one page.",
        "What would somebody who has done {topic} for thirty years tell me that isn't in any book?",
        "Are there rules about {topic} that differ from country to country? I'm moving from {town} to {town_b}.",
        "When is {topic} the wrong thing to worry about?",
        "I've inherited {topic}, so to speak, from {name}, who left without a word on it. What do I look at in week "
        "one?",
        "Sort these by how much they matter for {topic}: price, timing, the people involved, the weather, paperwork. "
        "Give a reason for each.",
    ),
    tells=(
        "I'm new to all this.",
        "I've been asked to say something about it {soon}.",
        "My neighbour swears by it, my dentist doesn't.",
        "I've read one book and forgotten half.",
        "It has come up for the third time this month.",
        "I know nothing about it, please assume that.",
        "It's for {who}.",
        "I've got {span} and an old laptop.",
        "We're a club of {num}, all amateurs.",
        "I need it {soon}.",
        "I work with my hands, so examples help.",
        "There are {n} of us, with {num} opinions.",
        "I'm in {town}, in case that matters.",
    ),
    adds=(
        "I had it explained to me {ago} and only nodded.",
        "Everything I found was written to sell me something.",
        "It came up because {who} asked, and I made something up.",
        "We tried once, in {year}, and gave up.",
        "I can spend about {price} on it.",
        "The textbook is from {year}.",
    ),
    wants=(
        "Use an example from daily life.",
        "No more than {big} words, please.",
        "Please say where you're not sure.",
        "A table would be good.",
        "Leave out the history.",
        "Write it so that I can forward it to {audience}.",
        "Put the most important thing first.",
        "Without jargon; if there's no way round a term, explain it.",
        "And one thing I shouldn't do.",
        "If it depends, say on what.",
        "Numbers rather than adjectives, please.",
        "Tell me how you know.",
    ),
)
