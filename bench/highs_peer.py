"""Solves a market that `walras export --mps --short-names` wrote with the HiGHS inside scipy.

    highs_peer.py FILE.mps highs-ds|highs-ipm

Prints "status objective read_s solve_s". Columns are x<number> and "constant", rows r<number> and
b<number>: so names need no dictionary, and numbers are kept in flat arrays.
"""

import sys
import time
from array import array

import numpy
from scipy.optimize import linprog
from scipy.sparse import csr_matrix


def read_rows(file):
    """Kinds by name's letter: two strings of one character a row; those of r rows come by number."""
    kinds = {"r": bytearray(), "b": bytearray()}
    numbers = {"r": array("q"), "b": array("q")}
    for line in file:
        if line.startswith("COLUMNS"):
            break
        kind, name = line.split()
        if kind == "N":
            continue
        kinds[name[0]].append(ord(kind))
        numbers[name[0]].append(int(name[1:]))
    n_own = max(numbers["r"], default=-1) + 1
    n_row = n_own + max(numbers["b"], default=-1) + 1
    kind = numpy.zeros(n_row, dtype=numpy.uint8)
    kind[numpy.frombuffer(numbers["r"], dtype=numpy.int64)] = numpy.frombuffer(kinds["r"], numpy.uint8)
    kind[n_own + numpy.frombuffer(numbers["b"], dtype=numpy.int64)] = numpy.frombuffer(
        kinds["b"], numpy.uint8
    )
    return kind, n_own


def column_of(name):
    """The constant is column 0."""
    return 0 if name == "constant" else int(name[1:]) + 1


class Program:
    """What is read: the matrix as triplets, the cost, sides and bounds by number."""

    def __init__(self, file):
        for line in file:
            if line.startswith("ROWS"):
                break
        next(file)  # N cost
        self.kind, self.n_own = read_rows(file)
        self.rows, self.columns, self.values = array("i"), array("i"), array("d")
        self.cost_of, self.cost = array("i"), array("d")
        self.side = numpy.zeros(len(self.kind))
        self.n_column = self.read_columns(file)
        self.low = numpy.zeros(self.n_column)
        self.high = numpy.full(self.n_column, numpy.inf)
        self.read_sides(file)
        self.read_bounds(file)

    def row_of(self, name):
        number = int(name[1:])
        return number if name[0] == "r" else self.n_own + number

    def read_columns(self, file):
        n = 0
        for line in file:
            if line.startswith("RHS"):
                break
            name, row, value = line.split()
            if row == "'MARKER'":
                sys.exit("whole-number columns are not for this peer")
            column = column_of(name)
            n = max(n, column + 1)
            if row == "cost":
                self.cost_of.append(column)
                self.cost.append(float(value))
            else:
                self.columns.append(column)
                self.rows.append(self.row_of(row))
                self.values.append(float(value))
        return n

    def read_sides(self, file):
        for line in file:
            if line.startswith("RANGES"):
                break
            _, row, value = line.split()
            self.side[self.row_of(row)] = float(value)

    def read_bounds(self, file):
        for line in file:
            if line.startswith("BOUNDS"):
                continue
            if line.startswith("ENDATA"):
                break
            words = line.split()
            if len(words) < 4 and words[0] not in ("FR", "MI", "PL"):
                sys.exit("ranges and quadratic costs are not for this peer")
            kind, column = words[0], column_of(words[2])
            if kind in ("FR", "MI"):
                self.low[column] = -numpy.inf
            if kind in ("LO", "FX"):
                self.low[column] = float(words[3])
            if kind in ("UP", "FX"):
                self.high[column] = float(words[3])


def solve(program, method):
    matrix = csr_matrix(
        (
            numpy.frombuffer(program.values),
            (numpy.frombuffer(program.rows, numpy.int32), numpy.frombuffer(program.columns, numpy.int32)),
        ),
        shape=(len(program.kind), program.n_column),
    )
    cost = numpy.zeros(program.n_column)
    cost[numpy.frombuffer(program.cost_of, numpy.int32)] = numpy.frombuffer(program.cost)
    is_equal = program.kind == ord("E")
    sign = numpy.where(program.kind == ord("G"), -1.0, 1.0)[~is_equal]
    below = matrix[~is_equal]
    below.data *= numpy.repeat(sign, numpy.diff(below.indptr))
    return linprog(
        cost,
        A_ub=below if below.shape[0] else None,
        b_ub=sign * program.side[~is_equal] if below.shape[0] else None,
        A_eq=matrix[is_equal],
        b_eq=program.side[is_equal],
        bounds=numpy.column_stack([program.low, program.high]),
        method=method,
    )


def main():
    began = time.perf_counter()
    with open(sys.argv[1], encoding="ascii") as file:
        program = Program(file)
    read = time.perf_counter()
    answer = solve(program, sys.argv[2])
    ended = time.perf_counter()
    objective = answer.fun if answer.fun is not None else float("nan")
    print(answer.status, repr(float(objective)), f"{read - began:.3f}", f"{ended - read:.3f}")


main()
