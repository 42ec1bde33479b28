"""pandoc, as a function."""
import subprocess


def run(text, *arguments):
    done = subprocess.run(["pandoc", *arguments], input=text, capture_output=True, encoding="utf-8")
    if done.returncode:
        raise RuntimeError(f"pandoc {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout
