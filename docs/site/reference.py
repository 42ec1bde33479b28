"""The reference: what Doxygen read in the headers, one page for each header, in its order."""
import collections
import html
import itertools
import re
import xml.etree.ElementTree as ElementTree

import listings

# Elements of Doxygen's descriptions that are one of HTML.
SAME = {"bold": "strong", "emphasis": "em", "computeroutput": "code", "itemizedlist": "ul", "orderedlist": "ol", "listitem": "li",
        "superscript": "sup", "subscript": "sub", "blockquote": "blockquote"}
SIGNS = {"ndash": "–", "mdash": "—", "nonbreakablespace": "\u00a0", "sp": " ", "lsquo": "‘", "rsquo": "’", "ldquo": "“", "rdquo": "”"}
BLOCKS = {"verbatim", "preformatted", "programlisting", "itemizedlist", "orderedlist", "table", "simplesect", "blockquote"}


class Entry:
    """A class or a member: where it stands, what it is called, its XML."""

    def __init__(self, element, name, file, line, members=()):
        self.element, self.name, self.file, self.line, self.members = element, name, file, line, list(members)
        self.anchor = ""


def location(element):
    place = element.find("location")
    return (place.get("declfile") or place.get("file"), int(place.get("declline") or place.get("line"))) if place is not None else ("", 0)


class Reference:
    def __init__(self, folder, typesetter):
        self.typesetter = typesetter
        self.descriptions = {}                     # of headers
        self.entries = collections.defaultdict(list)  # header -> its entries
        self.places = {}                           # Doxygen's id -> (header, anchor)
        compounds = {}
        for path in sorted(folder.glob("*.xml")):
            root = ElementTree.parse(path).getroot()
            for compound in root.findall("compounddef"):
                compounds[compound.get("id")] = compound
        classes = {}
        for compound in compounds.values():
            kind = compound.get("kind")
            if kind == "file":
                file = compound.find("location").get("file").removeprefix("gesso/")
                self.descriptions[file] = compound
                self.places[compound.get("id")] = (file, "")
            elif kind in ("class", "struct", "union"):
                file, line = location(compound)
                members = [self.member(m) for m in compound.findall("sectiondef/memberdef") if m.get("prot") != "private"]
                name = compound.findtext("compoundname").removeprefix("gesso::")
                classes[name] = Entry(compound, name, file.removeprefix("gesso/"), line, sorted(members, key=lambda m: m.line))
            elif kind == "namespace":
                for member in compound.findall("sectiondef/memberdef"):
                    entry = self.member(member)
                    self.entries[entry.file].append(entry)
        for name, entry in classes.items():  # a class in a class stands with it
            outer = classes.get(re.sub(r"(<.*>)?::[^:]*$", "", name))
            (outer.members if outer and outer is not entry else self.entries[entry.file]).append(entry)
        for file, entries in self.entries.items():
            entries.sort(key=lambda entry: entry.line)
            used = set()
            for entry in entries:
                self.name_anchors(entry, file, used, "")

    def member(self, element):
        file, line = location(element)
        return Entry(element, element.findtext("name"), file.removeprefix("gesso/"), line)

    def name_anchors(self, entry, file, used, prefix):
        anchor = prefix + re.sub(r"[^\w~.-]+", "-", entry.name.split("::")[-1]).strip("-") or "operator"
        number = 2
        while anchor in used or not anchor:
            anchor = re.sub(r"\.\.\d+$", "", anchor) + f"..{number}"
            number += 1
        used.add(anchor)
        entry.anchor = anchor
        self.places[entry.element.get("id")] = (file, anchor)
        for value in entry.element.findall("enumvalue"):
            self.places[value.get("id")] = (file, anchor)
        entry.members.sort(key=lambda member: member.line)
        for member in entry.members:
            self.name_anchors(member, file, used, anchor + ".")

    # ---- HTML

    def link(self, identity, text):
        if identity not in self.places:
            return text
        file, anchor = self.places[identity]
        return f'<a href="{self.root}reference/{file}.html{"#" + anchor if anchor else ""}">{text}</a>'

    def inline(self, element):
        """What an element holds, as HTML without paragraphs."""
        return self.text(element.text) + "".join(self.one(child) + self.text(child.tail) for child in element)

    def text(self, text):
        """Escaped; a page of docs/ that it names becomes a link."""
        return re.sub(r"\bdocs/(\w+)\.md\b", lambda match: f'<a href="{self.root}{match[1]}.html">{match[0]}</a>', html.escape(text or ""))

    def one(self, element):
        tag = element.tag
        if tag in SAME:
            return f"<{SAME[tag]}>{self.inline(element)}</{SAME[tag]}>"
        if tag in SIGNS:
            return SIGNS[tag]
        if tag == "ref":
            return self.link(element.get("refid"), self.inline(element))
        if tag == "ulink":
            return f'<a href="{html.escape(element.get("url"))}">{self.inline(element)}</a>'
        if tag == "linebreak":
            return "<br>"
        if tag == "para":
            return self.paragraph(element)
        if tag in ("verbatim", "preformatted", "programlisting"):
            return self.block("".join(element.itertext()))
        if tag == "simplesect":
            return f'<div class="aside">{self.inline(element)}</div>'
        if tag == "table":
            rows = "".join("<tr>" + "".join(
                f'<{cell}>{self.inline(entry).removeprefix("<p>").removesuffix("</p>")}</{cell}>'
                for entry in row.findall("entry") for cell in ["th" if entry.get("thead") == "yes" else "td"]) + "</tr>"
                for row in element.findall("row"))
            return f'<div class="scroll"><table>{rows}</table></div>'
        raise RuntimeError(f"docs/site/reference.py does not know Doxygen's <{tag}>; teach it: {ElementTree.tostring(element)[:200]}")

    def block(self, text):
        text = text.strip("\n").rstrip()
        formulas = self.typesetter.html(text)
        if formulas:
            return formulas
        is_code = re.search(r"[;{]\s*(//.*)?$", text, re.M)
        return f'<pre class="code">{listings.coloured(text, "cpp" if is_code else None)}</pre>'

    def paragraph(self, element):
        """<p>; blocks in it end it, as HTML has it."""
        parts, run = [], self.text(element.text)
        for child in element:
            if child.tag in BLOCKS:
                parts += [f"<p>{run}</p>" if run.strip() else "", self.one(child)]
                run = self.text(child.tail)
            else:
                run += self.one(child) + self.text(child.tail)
        return "".join(parts) + (f"<p>{run.strip()}</p>" if run.strip() else "")

    def description(self, element):
        return "".join(self.inline(part) for name in ("briefdescription", "detaileddescription", "inbodydescription")
                       for part in element.findall(name)).strip()

    def first_sentence(self, file):
        text = " ".join("".join(self.descriptions[file].find(name).itertext()) for name in ("briefdescription", "detaileddescription"))
        return html.escape(re.split(r"(?<=\.)\s", " ".join(text.split()), maxsplit=1)[0].rstrip(":."))

    def type_of(self, element):
        if element is None:
            return ""
        return re.sub(r" (?=&amp;|\*|&gt;)|(?<=&lt;) ", "", self.inline(element).strip())  # vector<int>&, not vector< int > &

    def template(self, element):
        parameters = element.find("templateparamlist")
        if parameters is None:
            return ""
        texts = []
        for parameter in parameters.findall("param"):
            text = self.type_of(parameter.find("type"))
            name, default = parameter.findtext("declname"), parameter.find("defval")
            texts.append(text + (f" {name}" if name else "") + (f" = {self.inline(default)}" if default is not None else ""))
        return f'<span class="kw">template</span> &lt;{", ".join(texts)}&gt;\n'

    def signature(self, entry):
        element = entry.element
        kind = element.get("kind")
        name = f'<strong>{html.escape(element.findtext("name") or entry.name)}</strong>'
        if kind == "enum":
            values = "".join("  " + html.escape(value.findtext("name")) + "," + self.comment(value) + "\n"
                             for value in element.findall("enumvalue"))
            return f'<span class="kw">enum{" class" if element.get("strong") == "yes" else ""}</span> {name} {{\n{values}}}'
        if kind == "typedef":
            return f'{self.template(element)}<span class="kw">using</span> {name} = {self.type_of(element.find("type"))}'
        if kind == "define":
            return f'<span class="pp">#define</span> {name}'
        front = self.type_of(element.find("type"))
        front = front + " " if front else ""
        if element.get("static") == "yes" and not front.startswith("static"):
            front = "static " + front
        if element.get("explicit") == "yes":
            front = "explicit " + front
        if element.get("virt") in ("virtual", "pure-virtual"):
            front = "virtual " + front
        if kind == "variable":
            value = element.find("initializer")
            return front + name + html.escape(element.findtext("argsstring") or "") + (
                " " + self.inline(value) if value is not None and len("".join(value.itertext())) < 60 else "") + self.comment(element)
        parameters = []
        for parameter in element.findall("param"):
            text = self.type_of(parameter.find("type"))
            declared, array, default = parameter.findtext("declname"), parameter.findtext("array"), parameter.find("defval")
            if array and array.startswith("(&)"):  # T (&name)[n]
                text, declared, array = text, f"(&{declared or ''})", array[3:]
            text += (" " + html.escape(declared) if declared else "") + html.escape(array or "")
            parameters.append(text + (f" = {self.inline(default)}" if default is not None else ""))
        end = (element.findtext("argsstring") or "").rpartition(")")[2]
        length = len(re.sub(r"<.*?>", "", front + name + ", ".join(parameters)))
        inside = ", ".join(parameters) if length < 92 else "\n    " + ",\n    ".join(parameters)
        return f"{self.template(element)}{front}{name}({inside}){html.escape(end)}"

    def comment(self, element):
        text = re.sub(r"</?p>", "", self.description(element))
        return f'  <span class="co">// {text}</span>' if text else ""

    def entry(self, entry):
        element = entry.element
        if element.tag == "memberdef":
            protected = '<span class="tag">for derived classes</span>' if element.get("prot") == "protected" else ""
            return (f'<div class="member" id="{entry.anchor}"><pre class="code signature">'
                    f'{self.signature(entry)}</pre>{protected}{self.description(element)}</div>')
        bases = ", ".join(self.link(base.get("refid"), html.escape(base.text.removeprefix("gesso::")))
                          for base in element.findall("basecompoundref"))
        name = html.escape(entry.name.split("::")[-1] if "<" not in entry.name else entry.name)
        return (f'<section class="class" id="{entry.anchor}"><h2><span class="kind">{element.get("kind")}</span> {name}'
                f'{" <small>is a " + bases + "</small>" if bases else ""}</h2>{self.template_line(element)}{self.description(element)}'
                f'{self.all_of(entry.members)}</section>')

    def all_of(self, entries):
        """Entries one after the other; variables, and what needs no words, stand together in one block."""
        def is_short(entry):
            return entry.element.tag == "memberdef" and entry.element.get("prot") != "protected" and (
                entry.element.get("kind") == "variable" or not self.description(entry.element))

        parts = []
        for short, run in itertools.groupby(entries, is_short):
            if short:
                parts.append('<div class="member"><pre class="code signature">' + "".join(
                    f'<span id="{entry.anchor}">{self.signature(entry)}</span>' for entry in run) + "</pre></div>")
            else:
                parts += [self.entry(entry) for entry in run]
        return "".join(parts)

    def template_line(self, element):
        template = self.template(element).strip()
        return f'<pre class="code signature">{template}</pre>' if template else ""

    def page(self, file):
        """The body of a header's page; `file` is core/tensor.h."""
        self.root = "../" * (file.count("/") + 1)
        source = f'{self.root}code/{file}.html'
        return (f'<h1><code>&lt;gesso/{html.escape(file)}&gt;</code></h1><div class="lead">{self.description(self.descriptions[file])}</div>'
                f'<p class="quiet"><a href="{source}">The header itself</a></p>'
                + self.all_of(self.entries[file]))

    def toc(self, file):
        return [(entry.anchor, entry.name.split("::")[-1] if "<" not in entry.name else entry.name) for entry in self.entries[file]
                if entry.element.tag == "compounddef" or entry.element.get("kind") != "define"]

    def headers(self):
        return sorted(self.descriptions)

    def index(self):
        """The bodies of the reference's first page and of the list of all names."""
        self.root = "../"
        folders = collections.defaultdict(list)
        for file in self.headers():
            folders[file.rpartition("/")[0]].append(file)
        order = ["core", "autograd", "layers", "training"]
        body = ["<h1>Reference</h1><p>Every header, in the order of the floors: <code>core</code> holds numbers, <code>autograd</code> "
                "gradients, <code>layers</code> parameters, <code>training</code> time. A page has what its header says, in its order. "
                '<a href="names.html">All names</a>, from A to Z.</p>']
        for folder in sorted(folders, key=lambda f: (order.index(f.split("/")[0]), f)):
            rows = "".join(f'<tr><td><a href="{file}.html"><code>{html.escape(file.rpartition("/")[2])}</code></a></td>'
                           f"<td>{self.first_sentence(file)}</td></tr>" for file in folders[folder])
            body.append(f'<h2 id="{folder.replace("/", "-")}">{folder}</h2><div class="scroll"><table class="list">{rows}</table></div>')
        names = collections.defaultdict(dict)  # name -> file -> its first place there
        for file, entries in self.entries.items():
            for entry in entries:
                for one in [entry, *entry.members]:
                    name = one.name.split("::")[-1]
                    if re.match(r"[A-Za-z]\w*$", name) and not name.startswith("operator"):
                        names[name].setdefault(file, one.anchor)
        all_names = ["<h1>All names</h1>"]
        in_order = sorted(names, key=lambda name: (name.lower(), name))
        for letter, run in itertools.groupby(in_order, lambda name: name[0].upper()):
            rows = "".join(f"<li><code>{name}</code> " + ", ".join(
                f'<a href="{file}.html#{anchor}">{file}</a>' for file, anchor in sorted(names[name].items())) + "</li>" for name in run)
            all_names.append(f'<h2 id="{letter}">{letter}</h2><ul class="names">{rows}</ul>')
        return "".join(body), "".join(all_names)
