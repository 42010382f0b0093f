"""Halmos, which also knows BLOBHASH (EIP-4844): like BLOCKHASH it takes an index and leaves a word, and like that it is
modelled as an arbitrary function of the index."""

import sys
from dataclasses import replace

from halmos import sevm
from halmos.__main__ import main
from halmos.contract import OP_BLOCKHASH, Contract

OP_BLOBHASH = 0x49
decode, block_hash = Contract._decode_instruction, sevm.f_blockhash


def decode_with_blobhash(self, pc):
    instruction = decode(self, pc)
    return replace(instruction, opcode=OP_BLOCKHASH) if instruction.opcode == OP_BLOBHASH else instruction


Contract._decode_instruction = decode_with_blobhash
# The function takes a term of Z3; the stack holds Halmos's own.
sevm.f_blockhash = lambda index: block_hash(index.as_z3())
sys.exit(main())
