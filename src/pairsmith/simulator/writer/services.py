"""What customers ask about what cannot be put into a parcel: plans, tickets, policies; beside banks.SUPPORT."""

from pairsmith.simulator.writer.banks import Bank

SERVICE = Bank(
    asks=(
        "I cancelled the {thing} on {day} and was charged {price} again {ago}. Which of the two do you take seriously?",
        "Can I [pause|pass on|share] the {thing} while I'm abroad for {long}, or does it simply run on?",
        "The {thing} renewed by itself last night. I had it in my calendar for {soon}, since that's what your mail "
        "said.",
        "Why do new customers pay {price} less for the {thing} than I do after {n} years? A reason, please, not a "
        "gift card.",
        'My login is correct, my password is correct, and the {thing} still shows as "[pending|inactive|in review]". '
        "What does that mean?",
        "i pressed the wrong button and bought the {thing} {n} times. it was four minutes ago. please undo {n_b} of "
        "them",
        "We're two people with one {thing}, and from {month} on we'll be living apart. How do we split it up fairly?",
        "Your letter says the terms of the {thing} change in {month}. I read both versions and can't find the change.",
        "{Who} died in {month}, and the {thing} still runs in that name. Which papers do you need, and from whom?",
        "Is there a version of the {thing} for somebody who uses it about {n} times a year?",
        "The app wants an update, the update wants a newer phone, and the {thing} wants the app. I have a phone from "
        "{year}. Now what?",
        "I was told on the phone that the {thing} includes {town}. The inspector told me that it doesn't. Who pays the "
        "{price}?",
        "How do I get the {thing} onto paper? My mother of {num_old} has no smartphone and wants to be able to show "
        "it.",
        "You moved me to another {thing} without asking. It may even be better. I'd like to be asked all the same.",
        "If I change the name on the {thing} after the wedding, does the discount from {year} survive that?",
        "What happens to the {thing} if my card expires {soon} and I'm on a boat at that time?",
        "The confirmation for the {thing} shows the {num}th, I chose the day after. Can that be mended without a fee?",
        "A colleague of yours promised in the chat to put {price} back for the {thing}. I have a screenshot, you have "
        "a robot. Could a human look at it?",
        "For how long do you keep my data once the {thing} has ended, and how do I get it deleted before that?",
        'Please explain the bill for the {thing} to me: {price}, {sum} and a line that says "adjustment".',
    ),
    tells=(
        "My customer number is {order}.",
        "I have been with you since {year} and never had reason to complain.",
        "I've written twice and got the same automatic reply both times.",
        "I'm not very technical, so bear with me.",
        "I'm asking for {who}, who doesn't do e-mail.",
        "This is about something small that has become big.",
        "I've looked through your help pages, all {num} of them.",
        "It concerns only me, nobody else in the household.",
    ),
    adds=(
        "It may well be my own mistake.",
        "I paid by [bank transfer|card|direct debit], if that matters.",
        "{name} at your hotline said it would take two days; that was {ago}.",
        "It has to be settled {soon}.",
        "The contract is in front of me, all {num} pages.",
        "I don't mind paying, I mind not understanding.",
        "There's no hurry, but I'd like to sleep.",
        "I've kept every mail.",
    ),
    wants=(
        "Please answer with yes or no first and the reasons after that.",
        "I don't want an apology, I want a date.",
        "Tell me what you need from me, all at once if possible.",
        "Please don't ask me to ring that number again.",
        "If the answer is no, say so, I can take it.",
        "How long will that take, honestly?",
        "Is there a form, or is this message enough?",
        "Please confirm it in writing.",
        "A short answer is fine.",
        "What are my rights here?",
    ),
)
