#!/usr/bin/env python3
"""The stylize works of benchmarks/train_step.cpp in ONNX Runtime, on a model and a picture that `peer_torch.py
--export-onnx` wrote. Started by against_torch; prints lines like the other two programs.

Usage: peer_onnx.py MODEL.onnx INPUT.raw SIZE THREADS WARM-UP SECONDS
"""
import json
import resource
import sys
import time

import numpy
import onnxruntime

model, raw = sys.argv[1:3]
size, threads, warm_up = (int(argument) for argument in sys.argv[3:6])
budget = float(sys.argv[6])


def say(**line):
    line["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(line), flush=True)


options = onnxruntime.SessionOptions()
options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
picture = numpy.fromfile(raw, numpy.float32).reshape(1, 3, size, size)


def paint():
    return session.run(None, {session.get_inputs()[0].name: picture})[0]


say(results=[float(numpy.square(paint(), dtype=numpy.float64).mean()) for _ in range(warm_up)])
for _ in sys.stdin:
    begin, elapsed, repetitions = time.perf_counter(), 0.0, 0
    while elapsed < budget or repetitions == 0:
        paint()
        repetitions += 1
        elapsed = time.perf_counter() - begin
    say(seconds=elapsed / repetitions)
