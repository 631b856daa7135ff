"""The same in German, French and Spanish: for translations, and for material that is in one of them.

Nouns stand where no article is needed, so that any of them fits.
"""

from functools import lru_cache

from pairsmith.simulator.writer.banks import Bank

# A word of the material -> what it is called there.
NOUNS: dict[str, tuple[str, str, str]] = {
    "chain": ("Kette", "chaîne", "cadena"), "saddle": ("Sattel", "selle", "sillín"),
    "wheel": ("Laufrad", "roue", "rueda"), "brake": ("Bremse", "frein", "freno"), "pads": ("Beläge", "patins",
    "pastillas"),
    "tube": ("Schlauch", "chambre à air", "cámara"), "fork": ("Gabel", "fourche", "horquilla"),
    "bell": ("Klingel", "sonnette", "timbre"), "pedal": ("Pedal", "pédale", "pedal"), "grips": ("Griffe", "poignées",
    "puños"),
    "spokes": ("Speichen", "rayons", "radios"), "tyres": ("Reifen", "pneus", "neumáticos"),
    "invoice": ("Rechnung", "facture", "factura"), "parcel": ("Paket", "colis", "paquete"),
    "contract": ("Vertrag", "contrat", "contrato"), "rent": ("Miete", "loyer", "alquiler"),
    "tenant": ("Mietvertrag", "bail", "alquiler"), "loan": ("Kredit", "prêt", "préstamo"),
    "letter": ("Brief", "lettre", "carta"), "job": ("Arbeit", "travail", "trabajo"), "garden": ("Garten", "jardin",
    "jardín"),
    "kitchen": ("Küche", "cuisine", "cocina"), "laptop": ("Laptop", "ordinateur", "portátil"),
    "phone": ("Telefon", "téléphone", "teléfono"), "dog": ("Hund", "chien", "perro"), "school": ("Schule", "école",
    "colegio"),
    "poem": ("Gedicht", "poème", "poema"), "story": ("Geschichte", "histoire", "cuento"),
    "application": ("Antrag", "demande", "solicitud"), "hospital": ("Krankenhaus", "hôpital", "hospital"),
    "rotor": ("Bremsscheibe", "disque", "disco"), "car": ("Auto", "voiture", "coche"), "desk": ("Schreibtisch",
    "bureau", "mesa"),
    "function": ("Funktion", "fonction", "función"), "code": ("Code", "code", "código"), "table": ("Tabelle",
    "table", "tabla"),
    "wedding": ("Hochzeit", "mariage", "boda"), "birthday": ("Geburtstag", "anniversaire", "cumpleaños"),
    "insurance": ("Versicherung", "assurance", "seguro"), "club": ("Verein", "association", "asociación"),
    "bike": ("Fahrrad", "vélo", "bicicleta"), "shop": ("Laden", "magasin", "tienda"),
}  # fmt: skip
COLUMNS = {"German": 0, "French": 1, "Spanish": 2}
# What is spoken of where no noun of the material is known.
NOUNS_AT_HAND: dict[str, tuple[str, ...]] = {
    "German": ("Rechnung", "Paket", "Vertrag", "Garten", "Waschmaschine", "Fahrkarte", "Wohnung", "Steuer", "Umzug"),
    "French": ("facture", "colis", "contrat", "jardin", "machine à laver", "billet de train", "appartement", "impôts"),
    "Spanish": ("factura", "paquete", "contrato", "jardín", "lavadora", "billete de tren", "piso", "mudanza"),
}
SLOTS_OF: dict[str, dict[str, tuple[str, ...]]] = {
    "German": {
        "day": ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"),
        "who": ("meine Mutter", "mein Nachbar", "meine Chefin", "mein Sohn", "meine Schwester", "ein Kollege"),
        "n": ("zwei", "drei", "vier", "fünf", "sechs"),
    },
    "French": {
        "day": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"),
        "who": ("ma mère", "mon voisin", "ma cheffe", "mon fils", "ma sœur", "un collègue"),
        "n": ("deux", "trois", "quatre", "cinq", "six"),
    },
    "Spanish": {
        "day": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado"),
        "who": ("mi madre", "mi vecino", "mi jefa", "mi hijo", "mi hermana", "un compañero"),
        "n": ("dos", "tres", "cuatro", "cinco", "seis"),
    },
}

LANGUAGES: dict[str, Bank] = {
    "German": Bank(
        asks=(
            "Betreff {noun}: Ich habe vor {n} Wochen bestellt und seither nichts mehr gehört. Kommt da noch was?",
            "Kurze Frage zum Thema {noun}: Worauf muss ich achten, wenn ich so etwas zum ersten Mal mache?",
            "Bei mir liegt seit {day} ein Schreiben, Stichwort {noun}. Ich verstehe jedes Wort und trotzdem nichts. "
            "Was wollen die von mir?",
            "{Who} sagt, beim Thema {noun} hätte ich keine Rechte. Stimmt das, oder lohnt es sich zu widersprechen?",
            "Können Sie mir in einfachen Worten erklären, was es mit \"{noun}\" in meinem Fall auf sich hat?",
            "Ich brauche einen freundlichen, aber bestimmten Text von höchstens {n} Sätzen, es geht um Folgendes: "
            "{noun}, schon zum zweiten Mal falsch.",
            "Schreib mir bitte eine kleine Rede, {n} Minuten, in der das Wort {noun} vorkommt und niemand weinen muss.",
            "Was kostet das alles zusammen, wenn man ehrlich rechnet? Gemeint ist: {noun}, {num} Monate lang, für {n} "
            "Personen.",
            "Mir wurde am {day} etwas anderes versprochen, als jetzt auf dem Papier steht. Es geht um: {noun}, "
            "{price} Euro. Wie gehe ich vor?",
            "Wie sage ich meinem Gegenüber, dass ich die Sache mit dem Stichwort {noun} nicht mitmache, ohne dass es "
            "Streit gibt?",
            "Mach mir eine Checkliste zum Thema {noun}, die auf eine halbe Seite passt.",
            "Drei Fachleute, drei Meinungen, eine {num} Seiten lange Broschüre zum Thema „{noun}“. Was davon ist "
            "wichtig?",
            "Lohnt sich das noch, oder fange ich lieber neu an? Baujahr {year}, Stichwort {noun}, und {who} lacht "
            "schon.",
            "Im Karton lag etwas ganz anderes als auf dem Lieferschein. Da steht {noun}, drin waren {n} Kleinteile "
            "für irgendwen in Graz.",
            "Ich möchte etwas zurückgeben, das schon einmal benutzt wurde ({noun}, {price} Euro). Geht das aus Kulanz?",
            "Wer ist eigentlich zuständig, wenn es um „{noun}“ geht und der eine immer auf den anderen zeigt?",
        ),
        tells=(
            "Ich bin Kunde seit {year}.", "Bis {day} müsste ich Bescheid wissen.",
            "Telefonisch war niemand zu erreichen.",
            "Ich kenne mich damit überhaupt nicht aus.", "Es ist nicht für mich, sondern für einen Bekannten.",
            "Fotos kann ich schicken.", "{Who} meint, ich soll mich nicht so anstellen.",
            "Beim letzten Mal ging es gut.",
            "Die Unterlagen liegen vor mir.", "Ich will niemandem etwas unterstellen.",
            "Wir sind {n} Leute und uns nicht einig.",
        ),
        adds=(),
        wants=(
            "Bitte ohne Fachwörter.", "Eine kurze Antwort genügt.", "Bitte zuerst ja oder nein.",
            "Gern mit einem Beispiel.",
            "Was würden Sie an meiner Stelle tun?", "Und wie lange dauert das ungefähr?", "Bitte der Reihe nach.",
            "Sagen Sie ruhig, wenn ich falsch liege.", "Und was passiert, wenn ich gar nichts tue?",
        ),
    ),
    "French": Bank(
        asks=(
            "Sujet : {noun}. J'ai commandé il y a {n} semaines et depuis, plus rien. Est-ce que ça arrive encore ?",
            "Une petite question à propos de « {noun} » : à quoi faut-il faire attention quand on s'y met pour la "
            "première fois ?",
            "J'ai reçu {day} un courrier avec le mot « {noun} » dans chaque phrase. Que veut-on de moi exactement ?",
            "{Who} prétend que je n'ai aucun droit dans cette affaire ({noun}, {price} euros). C'est vrai ?",
            "Pouvez-vous m'expliquer avec des mots simples ce que « {noun} » veut dire dans mon cas ?",
            "Il me faut un message poli mais ferme, {n} phrases au plus. L'affaire : {noun}, deux fois la même erreur.",
            "Écris-moi un petit discours de {n} minutes où le mot « {noun} » apparaît et où personne ne pleure.",
            "Combien ça coûte en tout, si on compte honnêtement ? Je parle de ceci : {noun}, pendant {num} mois, à "
            "{n}.",
            "On m'a promis {day} autre chose que ce qui est écrit maintenant ({noun}, {price} euros). Comment m'y "
            "prendre ?",
            "Comment refuser sans me fâcher ? Il s'agit d'un vieux sujet entre nous : {noun}.",
            "Fais-moi une liste de contrôle pour « {noun} », une demi-page, pas plus.",
            "Trois experts, trois avis et une brochure de {num} pages sur le thème « {noun} ». Qu'est-ce qui compte "
            "vraiment ?",
            "Vaut-il mieux réparer ou recommencer ? Année {year}, mot-clé {noun}, et {who} rit déjà.",
            "Le bon de livraison dit « {noun} » ; dans le carton, il y avait {n} petites pièces pour quelqu'un de "
            "Lille.",
            "Je voudrais rendre un article déjà utilisé une fois ({noun}). Est-ce possible à titre exceptionnel ?",
            "Qui est responsable, au juste, quand il est question de « {noun} » et que chacun montre l'autre du doigt "
            "?",
        ),
        tells=(
            "Je suis cliente depuis {year}.", "Il me faudrait une réponse avant {day}.",
            "Au téléphone, personne ne répond.",
            "Je n'y connais absolument rien.", "Ce n'est pas pour moi, c'est pour une amie.",
            "Je peux envoyer des photos.",
            "{Who} trouve que j'exagère.", "La dernière fois, tout s'était bien passé.",
            "J'ai les papiers sous les yeux.",
            "Je n'accuse personne.", "Nous sommes {n} et pas d'accord.",
        ),
        adds=(),
        wants=(
            "Sans jargon, s'il vous plaît.", "Une réponse courte suffit.", "D'abord oui ou non, ensuite pourquoi.",
            "Avec un exemple, si possible.", "Que feriez-vous à ma place ?", "Et combien de temps cela prend-il ?",
            "Dans l'ordre, si possible.", "Dites-le-moi si je me trompe.", "Et que se passe-t-il si je ne fais rien ?",
        ),
    ),
    "Spanish": Bank(
        asks=(
            "Asunto: {noun}. Hice el pedido hace {n} semanas y desde entonces no sé nada. ¿Va a llegar?",
            "Una duda rápida sobre el tema «{noun}»: ¿en qué hay que fijarse cuando uno lo hace por primera vez?",
            "El {day} recibí una carta con la palabra «{noun}» en cada frase. ¿Qué quieren de mí exactamente?",
            "{Who} dice que no tengo ningún derecho en este asunto ({noun}, {price} euros). ¿Es verdad?",
            "¿Me puede explicar con palabras sencillas qué significa «{noun}» en mi caso?",
            "Necesito un mensaje educado pero firme, de {n} frases como máximo. El asunto: {noun}, dos veces el mismo "
            "error.",
            "Escríbeme un discurso de {n} minutos en el que salga la palabra «{noun}» y nadie acabe llorando.",
            "¿Cuánto cuesta todo junto, contando con honradez? Me refiero a esto: {noun}, durante {num} meses, para "
            "{n} personas.",
            "El {day} me prometieron algo distinto de lo que ahora pone el papel ({noun}, {price} euros). ¿Qué hago "
            "primero?",
            "¿Cómo digo que no sin que haya una pelea? Es un tema viejo entre nosotros: {noun}.",
            "Hazme una lista de comprobación sobre «{noun}» que quepa en media página.",
            "Tres expertos, tres opiniones y un folleto de {num} páginas sobre «{noun}». ¿Qué es lo importante?",
            "¿Merece la pena arreglarlo o empiezo de cero? Año {year}, palabra clave {noun}, y {who} ya se está "
            "riendo.",
            "El albarán dice «{noun}»; en la caja venían {n} piezas pequeñas para alguien de Soria.",
            "Quisiera devolver un artículo que ya usé una vez ({noun}). ¿Se puede, aunque sea como excepción?",
            "¿A quién le toca decidir cuando se habla de «{noun}» y cada uno señala al otro?",
        ),
        tells=(
            "Soy cliente desde {year}.", "Tendría que saberlo antes del {day}.", "Por teléfono no contesta nadie.",
            "No entiendo nada de esto.", "No es para mí, es para un conocido.", "Puedo mandar fotos.",
            "{Who} opina que exagero.", "La última vez salió bien.", "Tengo los papeles delante.",
            "No quiero acusar a nadie.", "Somos {n} y no nos ponemos de acuerdo.",
        ),
        adds=(),
        wants=(
            "Sin palabras técnicas, por favor.", "Con una respuesta corta me basta.",
            "Primero sí o no, luego el porqué.",
            "Si puede ser, con un ejemplo.", "¿Qué haría usted en mi lugar?", "¿Y cuánto se tarda más o menos?",
            "Paso por paso, por favor.", "Dígame con calma si me equivoco.", "¿Y qué pasa si no hago nada?",
        ),
    ),
}  # fmt: skip

# Words by which a text betrays its language.
_SMALL_WORDS = {
    "German": "der die das und nicht ich ist ein eine mit für auf wir habe bitte sie dem den zu kann",
    "French": "le la les et est une pour pas je que qui dans vous mon avec sur des du puis être",
    "Spanish": "el los las que para una por con esto qué mi pero no es del como más ya se solo",
    "English": "the and is it to of a my i you that for was with have this what not on can are in",
}
_MARKS = {language: frozenset(words.split()) for language, words in _SMALL_WORDS.items()}


@lru_cache(maxsize=1024)
def language_of(text: str) -> str:
    """German, French, Spanish or English, by its small words; English where they do not tell."""
    words = text.lower().replace("'", " ").replace(",", " ").replace(".", " ").split()
    hits = {language: sum(word in marks for word in words) for language, marks in _MARKS.items()}
    best = max(hits, key=lambda language: (hits[language], language == "English"))
    return best if hits[best] > hits["English"] else "English"
