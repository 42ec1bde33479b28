"""Formulas as the pages write them, plain text in indented blocks, set as TeX, from which pandoc makes MathML.

    (13)  dx_j = r g_j  -  r mean(g)  -  r x̂_j mean(g x̂)
                 upstream    mean term     x-hat term

A line is an equation: a number in front, six blanks or more before a note, or before an equals sign that stands below
another. The line below it may name its terms, which then are separated by two blanks.
"""
import re
import xml.etree.ElementTree as ElementTree

import pandoc

NUMBER = re.compile(r"\((\d+)\)\s+")
MATHEMATICAL = re.compile(r"[μγβδ∂Σσ²³·√\u0302]")
TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z]+(?:-[A-Za-z]+)+|(?:[δ∂](?=\w)|d(?=[Α-ω]))?(?:[A-Za-z]+|[Α-ω])\u0302?|∂)"
    r"|(?P<sub>_)|(?P<sup>[²³]|\^)"
    r"|(?P<open>[(\[])|(?P<close>[)\]])"
    r"|(?P<operator>[-=+·/,;:<>|≤≥≈])")
GREEK = {"μ": r"\mu", "γ": r"\gamma", "β": r"\beta", "δ": r"\delta", "σ": r"\sigma", "ρ": r"\rho", "Σ": r"\sum",
         "∂": r"\partial", "eps": r"\varepsilon", "mu": r"\mu", "gamma": r"\gamma", "beta": r"\beta", "xhat": r"\hat{x}"}
FUNCTIONS = {"mean", "sum", "max", "min", "var"}
OPERATORS = {"·": r"\cdot", "≤": r"\le", "≥": r"\ge", "≈": r"\approx", "|": r"\vert "}


class NotAFormula(Exception):
    pass


def name_to_tex(word):
    """`x`, `x̂`, `dγ`, `δx̂`; other words are words."""
    if word[0] in "δ∂" and len(word) > 1:
        return GREEK[word[0]] + " " + name_to_tex(word[1:])
    if word in GREEK:
        return GREEK[word]
    if re.fullmatch(r"[A-Za-z]\u0302", word):
        return r"\hat{" + word[0] + "}"
    if len(word) == 1:
        return word
    if word in FUNCTIONS:
        return r"\operatorname{" + word + "}"
    if word[0] == "d" and (len(word) == 2 or word[1:] in GREEK):
        return r"\mathrm{d}" + name_to_tex(word[1:])
    return None


class Parser:
    """One run of text to TeX. A factor is a number, a name or a group, with what hangs below and above it."""

    def __init__(self, text):
        self.tokens = []
        at = 0
        while at < len(text):
            match = TOKEN.match(text, at)
            if not match:
                raise NotAFormula(text[at:])
            if match.lastgroup != "space":
                self.tokens.append((match.lastgroup, match.group()))
            at = match.end()
        self.at = 0

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else (None, None)

    def take(self):
        self.at += 1
        return self.tokens[self.at - 1]

    def expression(self):
        parts = []   # factors, words and operators
        product = 0  # how many at the end are factors, one after the other
        while self.peek()[0] not in (None, "close"):
            kind, text = self.peek()
            if text == "/":
                self.take()
                # All of the product is above the line; of one with a derivative or after a sum, the last factor.
                above = next((n for n in range(1, product) if re.match(r"\\(partial|sum)", parts[-n])), product)
                if not above:
                    raise NotAFormula("/ without a numerator")
                parts[-above:] = [fraction(parts[-above:], self.factor())]
                product = product - above + 1
            elif kind == "operator":
                self.take()
                parts.append(OPERATORS.get(text, text) + (r"\;" if text in ",;:" else ""))
                product = 0
            elif kind == "sup" and parts:  # of what stands between bars
                parts[-1] += self.scripts()
            elif kind == "word" and name_to_tex(text) is None and text != "sqrt":
                words = []
                while self.peek()[0] == "word" and name_to_tex(self.peek()[1]) is None:
                    words.append(self.take()[1])
                if self.peek() == ("operator", ":"):
                    words[-1] += self.take()[1]
                parts.append(r"\text{ %s }" % " ".join(words))
                product = 0
            else:
                parts.append(self.factor())
                product += 1
        return " ".join(parts)

    def factor(self):
        kind, text = self.take() if self.peek()[0] else (None, None)
        if kind == "number":
            base = text
        elif kind == "word":
            base = name_to_tex(text) or r"\text{%s}" % text
            if text == "sqrt":
                return r"\sqrt{%s}" % bare(self.factor())
            if text == "sum" and self.peek() == ("word", "of"):
                base = r"\text{sum}"
        elif kind == "open":
            inside = self.expression()
            base = r"\left%s %s \right%s" % (text, inside, self.closing())
            if re.fullmatch(r"\\frac\{[^{}]*\}\{[^{}]*\}", inside) and self.peek()[0] != "sup":
                base = inside
        else:
            raise NotAFormula(text)
        if text != "Σ" and kind == "word" and text in FUNCTIONS and self.peek()[0] == "open":
            base += self.factor()
        return base + self.scripts()

    def scripts(self):
        tex = ""
        while self.peek()[0] in ("sub", "sup"):
            mark, sign = self.take()
            if sign in "²³":
                tex += "^" + {"²": "2", "³": "3"}[sign]
            elif mark == "sub":
                tex += "_{%s}" % self.take()[1]
            else:
                tex += "^{%s}" % bare(self.factor())
        return tex

    def closing(self):
        kind, text = self.take() if self.peek()[0] else (None, None)
        if kind != "close":
            raise NotAFormula("a bracket is not closed")
        return text


def bare(tex):
    """Without the brackets around all of it, which a fraction or a root makes needless."""
    if not tex.startswith(r"\left(") or not tex.endswith(r"\right)"):
        return tex
    depth = 0
    for match in re.finditer(r"\\(left|right)[(\[)\]]", tex):
        depth += 1 if match[1] == "left" else -1
        if depth == 0 and match.end() < len(tex):
            return tex
    return tex[len(r"\left("):-len(r"\right)")].strip()


def fraction(above, below):
    return r"\frac{%s}{%s}" % (bare(" ".join(above)), bare(below))


def to_tex(text):
    parser = Parser(text)
    tex = parser.expression()
    if parser.peek()[0]:
        raise NotAFormula("a bracket too many")
    return tex



class Equation:
    """A line: TeX left and right of its first equals sign, its number or "", and its note."""

    def __init__(self, line):
        number = NUMBER.match(line.strip())
        self.number = number[1] if number else ""
        text = line.strip()[number.end() if number else 0:]
        segments = re.split(r"\s{6,}", text)
        if re.fullmatch(r"\S+\s*", segments[0]) and len(segments) > 1 and segments[1].startswith("="):
            segments[:2] = [" ".join(segments[:2])]  # a name, and its equals sign far away
        formula = segments.pop(0)
        while segments and segments[0].startswith("="):
            formula += " " + segments.pop(0)
        if len(segments) > 1 or "=" not in formula or "--" in formula:
            raise NotAFormula(line)
        self.left, self.right = (part.strip() for part in formula.split("=", 1))
        if re.search(r"\d\s{2,}\S*\d", self.right):  # a row of numbers
            raise NotAFormula(line)
        self.note = segments[0] if segments else ""
        self.labels = []
        self.tex()  # raises where it cannot be set

    def name_terms(self, labels):
        """Has the terms on the right named; False if they are not as many, or one alone."""
        if len(labels) < 2 or len(re.split(r"\s{2,}[-+]\s+", self.right)) != len(labels):
            return False
        self.labels = labels
        return True

    def tex(self):
        right = self.right
        if not self.labels:
            return to_tex(self.left), "= " + to_tex(right), to_tex(self.note)
        terms = re.split(r"\s{2,}([-+])\s+", right)
        for i, label in enumerate(self.labels):
            terms[2 * i] = r"\underbrace{%s}_{\text{%s}}" % (to_tex(terms[2 * i]), label)
        return to_tex(self.left), "= " + " ".join(terms), to_tex(self.note)


def equations(block):
    """The equations of an indented block, or None if it is something else: a command, a table of numbers, a drawing."""
    if not MATHEMATICAL.search(block) and not NUMBER.match(block.strip()):
        return None
    found = []
    try:
        for line in block.splitlines():
            if not line.strip():
                continue
            labels = re.split(r"\s{2,}", line.strip())
            if "=" not in line and found and found[-1].name_terms(labels):
                continue
            found.append(Equation(line))
    except NotAFormula:
        return None
    return found


# What stands in a sentence: x̂_i, dy_i, n_a.
IN_A_SENTENCE = re.compile(r"(\(?)((?:[δ∂d](?=[^\W_]))?(?:[A-Za-z]|[Α-ω])\u0302?)_([a-z0-9])((?:'s)?[.,;:)]*)")


def in_sentence(word):
    """(before, TeX, after) of a word that is a name with an index, else None."""
    match = IN_A_SENTENCE.fullmatch(word)
    return (match[1], name_to_tex(match[2]) + "_{" + match[3] + "}", match[4]) if match else None


def tidy(mathml):
    """pandoc's MathML, for a line of its own in a table: brackets grow only with what is more than a line high, names of
    functions stand close to their brackets."""
    root = ElementTree.fromstring(re.sub(r' xmlns="[^"]*"|<annotation.*?</annotation>|</?semantics>', "", mathml, flags=re.S))
    if root.attrib.pop("display", "") == "block":
        root.set("displaystyle", "true")
    for row in root.iter("mrow"):
        if not any(next(row.iter(tag), None) is not None for tag in ("mfrac", "msqrt", "munder")):
            for sign in row.findall("mo[@stretchy]"):
                sign.set("stretchy", "false")
    for named in root.iter("munder"):  # a term, its brace and its name: few fonts have braces of any width
        inner = named[0]
        if inner.tag == "munder" and inner[1].text == "⏟":
            named[0] = ElementTree.Element("mrow", {"class": "term"})
            named[0].append(inner[0])
    for sign in root.iter("mo"):
        if re.fullmatch(r"[a-z]+", sign.text or ""):
            sign.set("lspace", ".2em")
            sign.set("rspace", "0")
    return ElementTree.tostring(root, encoding="unicode")


class Typesetter:
    """Collects the formulas of all pages, so that pandoc has to run once. html() and inline() leave marks, which
    fill_in() replaces."""

    def __init__(self):
        self.wanted = {}

    def mark(self, tex, display):
        return "<!--formula %d-->" % self.wanted.setdefault((tex, display), len(self.wanted)) if tex.strip() else ""

    def html(self, block):
        """HTML of an indented block; None if it holds no formulas."""
        found = equations(block)
        if found is None:
            return None
        rows = []
        for equation in found:
            left, right, note = (self.mark(tex, True) for tex in equation.tex())
            number = f"({equation.number})" if equation.number else ""
            anchor = f' id="equation-{equation.number}"' if number else ""
            rows.append(f'<div class="equation"{anchor}><span class="number">{number}</span><span class="left">{left}</span>'
                        f'<span class="right">{right}</span><span class="note">{note}</span></div>')
        return '<div class="equations">' + "".join(rows) + "</div>"

    def inline(self, tex):
        return self.mark(tex, False)

    def typeset(self):
        """Runs pandoc. Afterwards fill_in() can be used."""
        texts = ["$$%s$$" % tex if display else "$%s$" % tex for tex, display in self.wanted]
        out = pandoc.run("\n\n".join(texts), "--from=markdown", "--to=html", "--mathml")
        found = [tidy(math) for math in re.findall(r"<math.*?</math>", out, re.S)]
        if len(found) != len(texts):
            raise RuntimeError(f"pandoc set {len(found)} formulas of {len(texts)}:\n{out}")
        self.set = found

    def fill_in(self, text):
        return re.sub(r"<!--formula (\d+)-->", lambda match: self.set[int(match[1])], text)
