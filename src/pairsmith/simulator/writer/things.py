"""What prompts are about: the fields that material is recognised by, with the things of each; and fillers of slots.

A field is found in a text by its words; a new prompt takes another of its things, as somebody of that field would.
"""

# Field -> its things. A thing is counted as many when it ends in s (see templates.forms).
FIELDS: dict[str, tuple[str, ...]] = {
    "bicycles": (
        "chain", "cassette", "leather saddle", "front wheel", "brake pads", "disc rotor", "pedals", "bottom bracket",
        "handlebar grips", "inner tube", "carbon fork", "bell", "mudguards", "dynamo light", "pannier bag",
        "gear cable",
        "winter tyres", "rear derailleur", "child seat", "frame pump", "seat post", "kickstand", "helmet", "spokes",
    ),
    "kitchen": (
        "kettle", "toaster", "coffee grinder", "bread knife", "pressure cooker", "hand blender", "fridge shelf",
        "baking tray", "oven door", "dishwasher basket", "frying pan", "kitchen scales", "milk frother", "water filter",
        "espresso machine", "rice cooker", "ice cream maker", "pasta machine", "tap fitting", "extractor hood",
    ),
    "clothes": (
        "winter coat", "rain jacket", "hiking boots", "linen shirt", "wool jumper", "wedding dress", "school trousers",
        "running shoes", "leather belt", "ski gloves", "swimsuit", "silk scarf", "work overalls", "dancing shoes",
        "tweed cap", "cotton pyjamas", "suit jacket", "children's wellies", "denim skirt", "thermal socks",
    ),
    "electronics": (
        "laptop charger", "phone screen", "noise-cancelling headphones", "keyboard", "router", "external drive",
        "tablet", "smart watch", "left speaker", "monitor", "printer cartridge", "camera battery", "memory card",
        "microphone", "e-reader", "docking station", "power bank", "webcam", "games controller", "hearing aid",
    ),
    "furniture": (
        "walnut desk", "bookcase", "corner sofa", "office chair", "bed slats", "kitchen table", "wardrobe door",
        "floor lamp", "mattress", "bar stools", "shelf brackets", "coat stand", "chest of drawers", "garden bench",
        "roller blinds", "mirror cabinet", "folding chairs", "bunk bed", "rug", "shoe rack",
    ),
    "garden": (
        "lawn mower", "tomato plants", "hedge trimmer", "compost bin", "rain barrel", "apple tree", "garden hose",
        "greenhouse panes", "rose bushes", "seed potatoes", "bird feeder", "pond pump", "raised bed kit", "leaf blower",
        "secateurs", "watering can", "strawberry plants", "fence posts", "wheelbarrow", "parasol",
    ),
    "services": (
        "yearly plan", "mobile contract", "broadband line", "gym membership", "newspaper subscription", "bank card",
        "travel insurance", "electricity tariff", "storage plan", "family account", "season ticket", "library card",
        "streaming plan", "language course", "parking permit", "hotel booking", "train tickets", "museum pass",
        "loyalty points", "gift voucher",
    ),
    "music": (
        "violin strings", "piano stool", "guitar case", "sheet music", "metronome", "clarinet reeds", "drum skins",
        "music stand", "record player", "turntable needle", "amplifier", "trumpet mouthpiece", "cello bow",
        "accordion strap", "concert tickets", "tuning pegs", "recorder", "choir folders", "ukulele",
        "headphone adapter",
    ),
    "children": (
        "pushchair", "car seat", "wooden train set", "cot mattress", "baby monitor", "school bag", "doll's house",
        "high chair", "board game", "puzzle", "balance bike", "night light", "lunch box", "teddy bear", "paint set",
        "building blocks", "sleeping bag", "bath toys", "stair gate", "magnifying glass",
    ),
}  # fmt: skip

# Words that betray a field beside those of its things.
FIELD_WORDS: dict[str, str] = {
    "bicycles": "bike bicycle rim hub sprocket sprockets tyre tyres tube rotor wheel saddle pedal spokes courier fork "
    "brake brakes workshop cyclist handlebar",
    "kitchen": "kitchen oven fridge pan pot kettle blender dishwasher cooker grinder espresso",
    "clothes": "coat jacket boots shirt jumper dress trousers shoes size sleeve wash boutique",
    "electronics": "laptop phone screen headphones router tablet charger battery usb wifi speaker bluetooth printer",
    "furniture": "desk sofa chair table bed wardrobe shelf lamp mattress assembly screws",
    "garden": "garden lawn hedge plants tree pond greenhouse soil seeds compost",
    "services": "subscription account login password tariff contract booking ticket plan membership card flight hotel "
    "invoice cancel festival",
    "music": "piano violin guitar choir concert cello drum flute clarinet orchestra",
    "children": "toy toys pram pushchair cot nursery lego doll playground",
}

SLOTS: dict[str, tuple[str, ...]] = {
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "month": ("January", "February", "March", "April", "May", "June", "July", "September", "October", "November"),
    "ago": (
        "two weeks ago", "last Tuesday", "in May", "nine days ago", "at Easter", "three months ago", "on the 4th",
        "a fortnight ago", "in August", "last year", "the day before yesterday",
    ),
    "soon": (
        "tomorrow morning", "on Saturday", "by Friday noon", "in nine days", "before the weekend", "on the 18th",
        "next Wednesday", "in three weeks", "by the end of the month", "tonight",
    ),
    "when": ("tomorrow", "on Saturday", "on the 18th", "in nine days", "next Wednesday", "in three weeks", "on Monday"),
    "n": ("two", "three", "four", "five", "six", "seven", "eight"),
    "num": tuple(str(n) for n in range(3, 29) if n not in (5, 10)),
    "big": ("36", "45", "52", "60", "75", "84", "96", "110", "120", "144", "150", "180", "210", "240", "320", "400"),
    "price": ("14.90", "19.50", "24", "37.80", "49", "62.40", "79", "89.95", "118", "135", "210", "349", "480", "640"),
    "sum": ("150", "180", "240", "300", "420", "500", "650", "780", "900", "1,200", "1,850", "2,400", "3,600", "5,200"),
    "digit": tuple("123456789"),
    "order": ("20817", "5512", "77-1043", "48213", "A-3391", "61150", "9027", "K-2280", "33904", "118-42"),
    "who": (
        "my sister", "my neighbour", "my father", "a colleague", "my flatmate", "my son", "my aunt", "my daughter",
        "my brother-in-law", "my landlord", "an old friend", "my grandmother", "my partner", "my boss",
    ),
    "name": (
        "Ines", "Tom", "Mrs Okafor", "Lena", "Mr Brandt", "Aisha", "Piotr", "Clara", "Ravi", "Joan", "Mateo", "Yuki",
        "Mr Doyle", "Samira", "Anton", "Nell",
    ),
    "town": ("Leeds", "Ghent", "Porto", "Galway", "Graz", "Utrecht", "Bath", "Malmö", "Trieste", "Cork", "Basel",
    "York"),
    "span": (
        "ten minutes", "half an hour", "two hours", "a whole afternoon", "three days", "a week", "six weeks",
        "four months", "two years",
    ),
    "num_old": tuple(str(age) for age in range(48, 84)),
    "num_kid": tuple(str(age) for age in range(6, 17)),
    "landlord": ("landlord", "insurer", "bank", "employer", "doctor", "health fund"),
    "long": ("six weeks", "four months", "two years", "half a year", "three weeks", "a year and a half"),
    "dish": (
        "Lamb cooked slowly with apricots, served with buttered rice. Contains nuts. Can be made without.",
        "Pumpkin soup with roasted seeds and a spoon of sour cream. Vegan without the cream.",
        "Pike from the lake, fried in brown butter with capers. May contain small bones.",
        "Dumplings filled with spinach and curd cheese, sage butter. Contains wheat, milk and egg.",
        "Buckwheat pancakes with goat's cheese, honey and walnuts. Naturally free of gluten.",
        "Plum cake from the tray, still warm, with whipped cream. The stones have been removed, nearly all of them.",
    ),
    "year": ("2009", "2011", "2014", "2016", "2018", "2019", "2021", "2023"),
    "lang": ("German", "French", "Spanish", "Italian", "Dutch", "Polish", "Portuguese", "Swedish"),
    "audience": (
        "a nine-year-old", "my grandfather", "people who don't read much", "a new colleague", "the other parents",
        "somebody in a hurry", "an impatient manager", "people whose English is basic", "my neighbours",
        "a room of engineers", "first-year students", "the local paper",
    ),
}  # fmt: skip

# What comes to mind where the material gives nothing to speak of.
SUBJECTS = (
    "the last bus home", "a borrowed ladder", "heat pumps in old houses", "the village fête",
    "sourdough at high altitude",
    "a first passport", "the night train", "a shared allotment", "second-hand wedding rings", "the school boiler",
    "bees on a balcony", "a lost hearing aid", "paper maps", "the smell of rain", "swimming in cold water",
    "an unpaid parking fine", "the choir's summer trip", "sourcing oak beams", "a lighthouse for sale",
    "fermented cabbage",
    "a nephew's first beard", "early retirement", "the office plant", "left-handed scissors",
    "an inheritance of stamps",
    "hedgehogs in winter", "a flooded cellar", "the perfect apple", "learning the cello late", "a broken promise",
    "tax on side jobs", "the neighbour's drone", "a picnic in the drizzle", "vaccinations before a trip",
    "chess with children",
    "moving a piano", "the four-day week", "a missing comma", "night shifts", "the price of butter",
    "an old slide projector",
    "solar panels on a rented roof", "the smallest museum", "a marathon at sixty", "mould in the bathroom",
    "house names",
    "the art of queueing", "a stray cat", "weekend markets", "the first frost",
)  # fmt: skip
