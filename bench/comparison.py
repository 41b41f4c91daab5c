"""What the comparisons with other programs share: measuring in processes, and going on where that fails.

A measuring process prints its results as a JSON object. If it fails it prints one with the member "error", or writes
to stderr. Its exit status is then 0 if the case is not supported here (bf16 on a processor that lacks it), another if
anything else went wrong. bench_train and bench_diffusion do so, too.
"""
import json
import subprocess
import sys


class NotSupported(Exception):
    pass


class Failed(Exception):
    pass


def parse(text):
    """The object that @text is, or its last line if a library has printed before it; {} if there is none."""
    for part in (text, text.rstrip().rpartition("\n")[2]):
        try:
            result = json.loads(part)
        except ValueError:
            continue
        if isinstance(result, dict):
            return result
    return {}


def measure(command, environment=None):
    try:
        process = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    except OSError as error:
        raise Failed(str(error)) from error
    result = parse(process.stdout)
    if process.returncode == 0 and "error" in result:
        raise NotSupported(result["error"])
    if process.returncode or not result:
        last = (process.stderr or process.stdout).rstrip().rpartition("\n")[2]
        status = f"status {process.returncode}" if process.returncode >= 0 else f"signal {-process.returncode}"
        raise Failed(result.get("error") or f"{last or 'no result'} ({status})")
    return result


def compare_all(benchmark, cases, compare):
    """Prints what @compare gives for each case. Returns the exit status: 1 if one was not merely unsupported."""
    results, status = [], 0
    for case in cases:
        try:
            results.append(compare(case))
        except NotSupported as reason:
            print(f"{case}: not supported here ({reason})", file=sys.stderr)
            results.append({"case": case, "not_supported": str(reason)})
        except Failed as reason:
            print(f"{case}: failed: {reason}", file=sys.stderr)
            results.append({"case": case, "error": str(reason)})
            status = 1
    json.dump({"benchmark": benchmark, "results": results}, sys.stdout, indent=1)
    print()
    return status
