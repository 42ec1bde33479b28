"""Source files as pages: coloured, with numbered lines that links can point at."""
import html
import pathlib
import re

CPP = r"""(?P<co>//[^\n]*|/\*.*?\*/)|(?P<st>R"\((?s:.*?)\)"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+')|(?P<pp>^[ ]*\#[^\n]*)""" \
    r"""|(?P<kw>\b(?:alignas|auto|bool|break|case|catch|char|class|const|constexpr|continue|default|delete|do|double|else|enum""" \
    r"""|explicit|extern|false|float|for|friend|if|inline|int|long|mutable|namespace|new|noexcept|nullptr|operator|override""" \
    r"""|private|protected|public|requires|return|short|signed|sizeof|static|static_cast|struct|switch|template|this|throw""" \
    r"""|true|try|typename|union|unsigned|using|virtual|void|volatile|while)\b)|(?P<dv>\b\d[\w.']*)"""
SCRIPT = r"""(?P<co>(?:(?<=\s)|^)\#[^\n]*)|(?P<st>\"{3}.*?\"{3}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')""" \
    r"""|(?P<kw>\b(?:and|as|break|case|class|continue|def|do|done|elif|else|esac|except|exit|False|fi|finally|for|from|function""" \
    r"""|if|import|in|is|lambda|local|None|not|or|raise|return|then|True|try|while|with|yield)\b)|(?P<dv>\b\d[\w.]*\b)"""
LANGUAGES = {"cpp": re.compile(CPP, re.M | re.S), "script": re.compile(SCRIPT, re.M | re.S)}
SUFFIXES = {".h": "cpp", ".cpp": "cpp", ".in": "cpp", ".js": "cpp", ".py": "script", ".cmake": "script", ".txt": None, ".md": None}


def language_of(path, text):
    path = pathlib.PurePath(path)
    if path.name == "CMakeLists.txt" or text.startswith("#!"):
        return "script"
    return SUFFIXES.get(path.suffix)


def coloured(text, language):
    """HTML of `text`: "cpp", "script" (shell, Python, CMake) or None."""
    if language is None:
        return html.escape(text)
    parts, at = [], 0
    for match in LANGUAGES[language].finditer(text):
        parts.append(html.escape(text[at:match.start()]))
        # No span goes over the end of a line: lines are elements of their own.
        parts.append("\n".join(f'<span class="{match.lastgroup}">{html.escape(line)}</span>' if line else ""
                               for line in match.group().split("\n")))
        at = match.end()
    return "".join(parts) + html.escape(text[at:])


def numbered(text, language):
    lines = coloured(text.removesuffix("\n"), language).split("\n")
    return '<pre class="code numbered">' + "".join(
        f'<span id="L{i}"><a href="#L{i}" aria-label="line {i}"></a>{line}</span>' for i, line in enumerate(lines, 1)) + "</pre>"


def line_of(name, text):
    """The line where `name`, Class::member or a name alone, is defined; the first that holds it otherwise, or 0."""
    *scope, last = name.split("::")
    word = re.escape(last)
    patterns = [rf"^(?:template.*>\s*)?(?:class|struct|enum(?: class)?)\s+(?:\w+\s+)?{word}\b(?!.*;)",
                rf"^[\w:<>&*, ]+\b{word}\(", rf"^\s+[\w:<>&*, ]*\b{word}\(.*[{{;,]$", rf"\b{word}\b"]
    if scope:
        patterns.insert(0, rf"\b{re.escape(scope[-1])}::{word}\b")
    lines = text.split("\n")
    begin = 0
    if scope and not re.search(patterns[0], text):  # inside of the class
        begin = max(line_of(scope[-1], text) - 1, 0)
    for pattern in patterns:
        for i in range(begin, len(lines)):
            if re.search(pattern, lines[i]) and not lines[i].lstrip().startswith(("//", "#include", "using")):
                return i + 1
    return next((i + 1 for i, line in enumerate(lines) if re.search(patterns[-1], line)), 0)


def is_text(path):
    if path.stat().st_size > 300_000:
        return False
    try:
        return "\0" not in path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return False
