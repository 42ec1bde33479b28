"""What the scripts that time benchmark-train-step beside another program share: building it, and running programs in turn."""
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile


def fail(text):
    sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {text}")


def build(source, folder, *options):
    """Builds the source tree's benchmark-train-step in `folder`, with CMake `options`, and returns its path."""
    if not shutil.which("cmake"):
        fail("cmake is missing; ./tests/run installs what building needs")
    commands = [["cmake", "-S", source, "-B", folder, "-DGESSO_BUILD_BENCHMARKS=ON", "-DGESSO_BUILD_EXAMPLES=ON", *options],
                ["cmake", "--build", folder, "--target", "benchmark-train-step", "-j", str(os.cpu_count())]]
    print(f"Building benchmark-train-step in {folder}", flush=True)
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            fail(f"building failed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return folder / "bin/benchmark-train-step"


class Program:
    """One of the programs, at one work. It warms up, then times a round whenever it is asked."""

    def __init__(self, name, command, environment=None):
        self.name, self.seconds, self.megabytes, self.results = name, [], 0.0, None
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, env={**os.environ, **(environment or {})}, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            fail(f"{self.name} ended early:\n{self.errors.read()[-4000:]}")
        answer = json.loads(line)
        self.megabytes = answer["peak_mb"]
        return answer

    def wait_until_ready(self):
        if self.results is None:
            self.results = self.read()["results"]

    def round(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        self.seconds.append(self.read()["seconds"])

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.errors.close()

    def median(self):
        return statistics.median(self.seconds)
