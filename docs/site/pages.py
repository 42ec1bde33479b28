"""Pages of Markdown, and the lesson in a notebook, by way of pandoc."""
import html
import json
import os
import re

import formulas
import listings
import pandoc


def text_of(inlines):
    """Plain text of a heading."""
    parts = []
    for node in inlines:
        if node["t"] in ("Str", "Code"):
            parts.append(node["c"] if node["t"] == "Str" else node["c"][1])
        elif node["t"] in ("Space", "SoftBreak"):
            parts.append(" ")
        elif "c" in node and isinstance(node["c"], list):
            parts.append(text_of([c for part in node["c"] if isinstance(part, list) for c in part if isinstance(c, dict)] or
                                 [c for c in node["c"] if isinstance(c, dict)]))
    return "".join(parts)


def raw(text, inline=False):
    return {"t": "RawInline" if inline else "RawBlock", "c": ["html", text]}


class Page:
    """`path` is one in the repository, e.g. docs/normalization.md. resolve(page, target, label) makes the target of a link
    one on the site, title_of(target) is what another page is called, or None; pictures of a notebook go to `media`."""

    def __init__(self, path, text, url, resolve, title_of, typesetter, media):
        self.url, self.resolve, self.title_of, self.typesetter = url, resolve, title_of, typesetter
        notebook = path.endswith(".ipynb")
        arguments = ["--from=ipynb", f"--extract-media={media}"] if notebook else ["--from=gfm"]
        self.path = path
        self.toc = []
        self.title = ""
        tree = json.loads(pandoc.run(text, *arguments, "--to=json"))
        tree["blocks"] = self.walk(tree["blocks"])
        body = pandoc.run(json.dumps(tree), "--from=json", "--to=html", "--wrap=none")
        self.body = re.sub(r"(<table.*?</table>)", r'<div class="scroll">\1</div>', body, flags=re.S)
        self.title = self.title or os.path.basename(path)

    def walk(self, node):
        if isinstance(node, list):
            return [self.walk(child) for child in node]
        if not isinstance(node, dict):
            return node
        kind, content = node.get("t"), node.get("c")
        if kind == "CodeBlock":
            return self.code_block(*content)
        if kind == "Str":
            found = formulas.in_sentence(content)
            if found:
                before, tex, after = found
                return raw(html.escape(before) + self.typesetter.inline(tex) + html.escape(after), inline=True)
            return node
        if kind == "Header":
            level, (identity, *_), inlines = content
            if level == 1 and not self.title:
                self.title = text_of(inlines)
            elif level == 2:
                self.toc.append((identity, text_of(inlines)))
        if kind in ("Link", "Image"):
            attributes, inlines, (target, title) = content
            if len(inlines) == 1 and inlines[0] == {"t": "Str", "c": target}:  # a path, shown as it is
                inlines = [{"t": "Str", "c": self.title_of(target) or target}]
            label = inlines[0]["c"][1] if inlines and inlines[0]["t"] == "Code" else ""
            content = [attributes, self.walk(inlines), [self.resolve(self, target, label), title]]
            return {"t": kind, "c": content}
        return {key: self.walk(value) for key, value in node.items()}

    def code_block(self, attributes, text):
        classes = attributes[1]
        if not classes and self.path.endswith(".md"):
            formula = self.typesetter.html(text)
            if formula:
                return raw(formula)
        language = "cpp" if "cpp" in classes else "script" if set(classes) & {"sh", "python", "cmake"} else None
        return raw(f'<pre class="code">{listings.coloured(text, language)}</pre>')
