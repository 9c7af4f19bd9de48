"""Products for made reviews: their parts, what fits these, and what they are for."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["KINDS", "PRODUCTS", "Kind", "Part", "Product"]


class Kind(NamedTuple):
    """What can be said of parts of a kind.

    Attributes
    ----------
    good, bad : tuple of str
        Adjectives.
    fails : tuple of (str, str)
        What goes wrong, as of one part in the past tense and as an infinitive.
    """

    good: tuple[str, ...]
    bad: tuple[str, ...]
    fails: tuple[tuple[str, str], ...]


class Part(NamedTuple):
    """A part of a product, the kind of it, and whether its name is a plural."""

    name: str
    kind: str
    plural: bool = False


class Product(NamedTuple):
    """A product, its parts, and what people use it for, after "I use it"."""

    name: str
    parts: tuple[Part, ...]
    uses: tuple[str, ...]


KINDS = {
    "build": Kind(
        ("sturdy", "solid", "well made"),
        ("flimsy", "wobbly", "fragile"),
        (("broke off", "break off"), ("cracked", "crack"), ("bent", "bend")),
    ),
    "control": Kind(
        ("reliable", "handy", "well designed"),
        ("unreliable", "fiddly", "badly designed"),
        (("got stuck", "get stuck"), ("jammed", "jam"), ("failed", "fail")),
    ),
    "sound": Kind(
        ("clear", "rich", "crisp"),
        ("muffled", "tinny", "distorted"),
        (("cut out", "cut out"), ("started to crackle", "crackle")),
    ),
    "motor": Kind(
        ("quiet", "powerful", "smooth"),
        ("noisy", "weak", "sluggish"),
        (("burned out", "burn out"), ("stalled", "stall"), ("gave up", "give up")),
    ),
    "light": Kind(
        ("bright", "sharp", "clear"),
        ("dim", "blurry", "faint"),
        (("went dark", "go dark"), ("started to flicker", "flicker")),
    ),
    "power": Kind(
        ("strong", "reliable", "dependable"),
        ("weak", "unreliable", "hopeless"),
        (("died", "die"), ("stopped charging", "stop charging")),
    ),
    "comfort": Kind(
        ("soft", "comfortable", "pleasant"),
        ("stiff", "scratchy", "uncomfortable"),
        (("wore out", "wear out"), ("lost shape", "lose shape")),
    ),
    "edge": Kind(
        ("sharp", "keen", "precise"),
        ("dull", "blunt", "uneven"),
        (("chipped", "chip"), ("rusted", "rust"), ("bent", "bend")),
    ),
    "ease": Kind(
        ("simple", "helpful", "easy to follow"),
        ("confusing", "clumsy", "hard to follow"),
        (),
    ),
    "fabric": Kind(
        ("thick", "durable", "strong"),
        ("thin", "shabby", "fragile"),
        (("ripped", "rip"), ("faded", "fade"), ("came apart", "come apart")),
    ),
    "seal": Kind(
        ("tight", "secure", "dependable"),
        ("leaky", "loose", "sloppy"),
        (("leaked", "leak"), ("came off", "come off")),
    ),
}


def _parts(listed: str) -> tuple[Part, ...]:
    """Read "name: kind, names*: kind"; the star marks a plural."""
    pairs = (entry.split(": ") for entry in listed.split(", "))
    return tuple(
        Part(name.rstrip("*"), kind, name.endswith("*")) for name, kind in pairs
    )


PRODUCTS = tuple(
    Product(name, _parts(parts), uses)
    for name, parts, uses in (
        (
            "kettle",
            "lid: seal, handle: build, base: build, switch: control, spout: seal",
            ("for tea every morning", "at the office", "in our caravan"),
        ),
        (
            "blender",
            "motor: motor, blade: edge, lid: seal, jar: build, manual: ease",
            ("for smoothies", "for soup and sauces", "to crush ice"),
        ),
        (
            "toaster",
            "lever: control, crumb tray: build, timer: control, feet*: build, "
            "manual: ease",
            ("for bagels", "twice a day", "for the whole family"),
        ),
        (
            "coffee grinder",
            "motor: motor, burrs*: edge, lid: seal, hopper: build, switch: control",
            ("for espresso", "for French press", "before breakfast"),
        ),
        (
            "bread knife",
            "blade: edge, tip: edge, handle: build, sheath: fabric",
            ("for sourdough", "on tomatoes", "for everything with a crust"),
        ),
        (
            "water bottle",
            "cap: seal, straw: seal, gasket: seal, carry loop: fabric, sleeve: fabric",
            ("at the gym", "on my commute", "for long hikes"),
        ),
        (
            "backpack",
            "zippers*: control, straps*: comfort, lining: fabric, buckle: control, "
            "seams*: fabric",
            ("for school", "on day trips", "to carry my laptop"),
        ),
        (
            "tent",
            "poles*: build, floor: fabric, seams*: fabric, zipper: control, "
            "instructions*: ease",
            ("on weekends", "at festivals", "with two kids"),
        ),
        (
            "headset",
            "microphone: sound, ear pads*: comfort, headband: comfort, battery: power, "
            "bass: sound",
            ("for meetings", "on the train", "for gaming"),
        ),
        (
            "radio",
            "speaker: sound, antenna: build, display: light, battery: power, "
            "dial: control",
            ("in the garage", "in the kitchen", "on the boat"),
        ),
        (
            "flashlight",
            "beam: light, switch: control, battery: power, clip: build, strap: fabric",
            ("for night walks", "in the cellar", "when the power is out"),
        ),
        (
            "desk lamp",
            "light: light, arm: build, base: build, dimmer: control, app: ease",
            ("for reading", "at my desk", "for sewing"),
        ),
        (
            "vacuum cleaner",
            "motor: motor, hose: seal, filter: seal, brush: build, battery: power",
            ("on carpets", "for dog hair", "on the stairs"),
        ),
        (
            "hair dryer",
            "motor: motor, diffuser: build, grille: build, switch: control, "
            "stand: build",
            ("every other day", "when I travel", "after swimming"),
        ),
        (
            "office chair",
            "seat: comfort, armrests*: build, wheels*: build, cushion: comfort, "
            "instructions*: ease",
            ("eight hours a day", "for homework", "in my study"),
        ),
        (
            "pillow",
            "filling: comfort, cover: fabric, seams*: fabric, zipper: control",
            ("every night", "on long flights", "in the guest room"),
        ),
        (
            "rain jacket",
            "hood: fabric, zipper: control, lining: fabric, collar: comfort, "
            "seams*: fabric",
            ("on my bike", "for dog walks", "in the mountains"),
        ),
        (
            "tripod",
            "legs*: build, head: build, clamp: build, feet*: build, manual: ease",
            ("for family photos", "with my phone", "for videos"),
        ),
        (
            "keyboard",
            "keys*: control, stand: build, battery: power, manual: ease, "
            "backlight: light",
            ("for work", "with my tablet", "for late nights"),
        ),
        (
            "alarm clock",
            "display: light, speaker: sound, buttons*: control, backup battery: power, "
            "menu: ease",
            ("on my nightstand", "in the kids' room", "when I travel"),
        ),
        (
            "electric shaver",
            "blades*: edge, motor: motor, battery: power, trimmer: edge, stand: build",
            ("every morning", "in the shower", "on business trips"),
        ),
        (
            "umbrella",
            "handle: build, ribs*: build, canopy: fabric, sleeve: fabric",
            ("in the city", "on windy days", "for the walk to work"),
        ),
        (
            "phone holder",
            "arm: build, clamp: build, suction cup: build, joint: build, "
            "instructions*: ease",
            ("in my car", "on my desk", "for video calls"),
        ),
        (
            "garden hose",
            "nozzle: seal, fittings*: seal, reel: build, valve: control",
            ("on the lawn", "to wash the car", "for the vegetable beds"),
        ),
    )
)
