"""Code that people want looked at, and what they ask about it. $names are replaced; the rest stands as it is."""

from pairsmith.simulator.writer.banks import Bank

NAMES: dict[str, tuple[str, ...]] = {
    "item": ("order", "user", "booking", "ticket", "invoice", "member", "report", "device", "letter", "sample"),
    "part": ("total", "price", "weight", "score", "amount", "length", "rating", "height", "delay", "budget"),
    "verb": ("load", "collect", "merge", "check", "update", "export", "import_one", "prepare", "sync", "archive"),
    "store": ("db", "cache", "session", "store", "repo", "conn", "client", "backend"),
    "num": ("3", "7", "12", "24", "60", "90", "250", "1000"),
}

SNIPPETS: tuple[tuple[str, str], ...] = (
    ("Python", "def $verb_$item(rows, seen=[]):\n    for row in rows:\n        if row[\"id\"] not in seen:\n"
     "            seen.append(row[\"id\"])\n            yield row"),
    ("Python", "def average_$part($items):\n    total = 0\n    for x in $items:\n        total += x.$part\n"
     "    return total / len($items)"),
    ("Python", "with open(path) as f:\n    lines = f.readlines()\nfor i in range(len(lines)):\n"
     "    if lines[i].startswith(\"$item\"):\n        del lines[i]"),
    ("Python", "async def $verb_all($items):\n    results = []\n    for x in $items:\n"
     "        results.append(await $verb(x))\n    return results"),
    ("Python", "class $ItemList:\n    def __init__(self, $items):\n        self.$items = $items\n\n"
     "    def __eq__(self, other):\n        return self.$items == other.$items"),
    ("Python", "def $verb(path):\n    try:\n        return json.load(open(path))\n    except Exception:\n"
     "        return {}"),
    ("SQL", "SELECT c.name, SUM(o.$part)\nFROM customers c\nLEFT JOIN $items o ON o.customer_id = c.id\n"
     "WHERE o.created > '2024-01-01'\nGROUP BY c.name;"),
    ("SQL", "DELETE FROM $items\nWHERE id NOT IN (SELECT $item_id FROM payments);"),
    ("SQL", "SELECT * FROM $items\nWHERE YEAR(created) = 2024\nORDER BY RAND()\nLIMIT $num;"),
    ("JavaScript", "$items.forEach(async (x) => {\n  await $verb(x);\n});\nconsole.log(\"all done\");"),
    ("JavaScript", "const $part = $items\n  .map((x) => parseInt(x.$part))\n  .sort()\n  .slice(-$num);"),
    ("JavaScript", "function same(a, b) {\n  return JSON.stringify(a) == JSON.stringify(b);\n}\n\n"
     "if (same(old$Item, new$Item)) return;"),
    ("TypeScript", "interface $Item { id: string; $part?: number }\n\nfunction cheapest(xs: $Item[]): $Item {\n"
     "  return xs.reduce((a, b) => (a.$part! < b.$part! ? a : b));\n}"),
    ("Go", "for _, x := range $items {\n\tgo func() {\n\t\tif err := $verb(x); err != nil {\n\t\t\tlog.Println(err)\n"
     "\t\t}\n\t}()\n}"),
    ("Go", "func get$Item(id string) *$Item {\n\tmu.Lock()\n\tx, ok := $store[id]\n\tif !ok {\n\t\treturn nil\n\t}\n"
     "\tmu.Unlock()\n\treturn x\n}"),
    ("Rust", "fn $part(xs: &Vec<f64>) -> f64 {\n    let mut best = 0.0;\n    for x in xs.iter() {\n"
     "        if *x > best { best = *x; }\n    }\n    best\n}"),
    ("Rust", "let text = std::fs::read_to_string(path).unwrap();\nlet $part: i32 = text.trim().parse().unwrap();"),
    ("Java", "public List<$Item> $verbExpired(List<$Item> all) {\n    for ($Item x : all) {\n"
     "        if (x.isExpired()) all.remove(x);\n    }\n    return all;\n}"),
    ("Java", "if (user.getRole() == \"admin\" || $item.getOwner() == user.getName()) {\n    $store.delete($item);\n}"),
    ("C", "char *label(int $part) {\n    char text[16];\n    sprintf(text, \"$part: %d\", $part);\n"
     "    return text;\n}"),
    ("C", "int *$items = malloc($num * sizeof(int));\nfor (int i = 0; i <= $num; i++)\n    $items[i] = 0;"),
    ("bash", "for f in $(ls *.$item); do\n  mv $f /backup/$f\ndone\nrm -rf $TARGET/*"),
    ("bash", "#!/bin/bash\nset -e\ncount=$(grep -c $item log.txt)\necho \"found $count\"\ntar czf - /srv/$items | "
     "ssh backup 'cat > $items.tgz'"),
    ("CSS", ".$item-list {\n  height: 100vh;\n  overflow: hidden;\n}\n.$item-list > * {\n  float: left;\n"
     "  width: 33.33%;\n  padding: $numpx;\n}"),
    ("Dockerfile", "FROM python:latest\nCOPY . /app\nRUN pip install -r /app/requirements.txt\n"
     "ENV $STORE_PASSWORD=hunter$num\nCMD python /app/$verb.py"),
    ("PHP", "$q = \"SELECT * FROM $items WHERE name = '\" . $_GET['name'] . \"'\";\n$rows = mysqli_query($store, $q);"),
    ("regex", "^([a-zA-Z0-9]+\\.?)+@$item\\.(com|org)$"),
    ("YAML", "jobs:\n  $verb:\n    runs-on: ubuntu-latest\n    steps:\n"
     "      - run: curl https://example.org/$item.sh | sh\n"
     "      - run: ./$verb --token ${{ secrets.TOKEN }} --verbose"),
)  # fmt: skip

CODE = Bank(
    asks=(
        "Please review this {code_lang} before it goes live {soon}:\n\n{snippet}",
        "This {code_lang} works on my machine and [loses rows|hangs|returns nonsense] on the server. Why?\n\n{snippet}",
        "What does this do when the input is empty?\n\n{snippet}",
        "Is there a bug in here, or am I seeing ghosts?\n\n{snippet}",
        "{name} left the company and left us this. Explain it line by line, and say what you'd change "
        "first:\n\n{snippet}",
        "Make this readable without changing what it does ({code_lang}):\n\n{snippet}",
        "Our linter is happy with it, I'm not. Who's right?\n\n{snippet}",
        "How would you test this? I want three cases that could really fail:\n\n{snippet}",
        "It's fine for {num} entries. We'll have {big},000 {soon}. What gives way first?\n\n{snippet}",
        "I was told in the review that this is unsafe, and nobody said where:\n\n{snippet}",
        "Does that {code_lang} do the same on every version, or have I been lucky?\n\n{snippet}",
        "Written at two in the morning. Be honest, be brief:\n\n{snippet}",
        "How do I [read a CSV of {big} MB|parse dates in {n} formats|talk to a scale over a serial port|rename {big}0 "
        "files] in Python without anything beyond the standard library?",
        "git says I'm {num} commits ahead and {n} behind, and I only ever worked alone on this branch. What happened, "
        "and how do I get out without losing {day}'s work?",
        "Write a SQL query for me: table {items} (id, customer, created, {part}), and I want for each customer the {n} "
        "latest rows and the sum of {part} over the last {big} days.",
        "Our nightly job takes {span} and nobody dares to touch it. It reads {items}, joins them in memory, and "
        "writes one file for each customer. Where would you measure first?",
        "Which is the better home for {big},000 {items}: one JSON file, SQLite, or a proper server? One writer, {num} "
        "readers, and a Raspberry Pi.",
        "I need a regular expression for our article numbers: two letters, a dash, {n} to {num} digits, and an "
        "optional slash with a year. What should it refuse?",
        "Convince me, or don't, that a unit test for a function of {n} lines is worth its keep. The function computes "
        "{part} for {items}.",
        "Our API returns {items} in pages of {big}, and between two pages somebody deletes one. How do others avoid "
        "skipping a row?",
        "Explain the difference between a thread, a task and a process with the example of fetching {big} {items}.",
        "My script eats {n} GB of memory on a file of {big} MB. It appends every line to a list of {items} and sorts "
        "it at the end. How do I do that on a laptop from {year}?",
        "How do I store {part} with two decimals so that {num} clients in {n} currencies get the same cents as our "
        "accountant?",
        "I'm to add logging to {big} functions that save {items}. What belongs in a line, what never does, and how do "
        "I avoid touching each of them?",
    ),
    tells=(
        "I'm the only one here who reads other people's code.",
        "We release on {day}s, ready or not.",
        "The tests take {long} to write, says {name}, so there are none.",
        "This is for a hobby project with {num} users, all of them friends.",
        "I maintain this in my lunch breaks.",
        "The customer found it, which is embarrassing.",
        "I learned programming from a book of {year}.",
        "There's an audit {soon}.",
        "Our style guide has {big} pages and nothing on this.",
        "We're {n} people, one of whom writes tests.",
        "I come from Excel, so please explain the why.",
        "The customer's server can't be upgraded before {month}.",
        "No new dependencies, we had a bad {month}.",
        "My first week in this language.",
    ),
    adds=(
        "It runs once a night.",
        "It has been in production since {year}.",
        "I inherited it {ago}.",
        "About {big} people use it, never two at once.",
        'The ticket says "occasionally wrong", nothing else.',
        "I've already tried switching it off and on.",
    ),
    wants=(
        "Show the corrected code in full.",
        "Only what's dangerous, please, no style.",
        "The one-line fix first, the proper one after that.",
        "Please say how sure you are of each point.",
        "No rewrite, I have to defend the diff.",
        "With a test that fails before and passes after.",
        "Which of it would you let pass?",
        "What would a senior say in one sentence?",
        "Name the concept, so that I can look it up.",
    ),
)
