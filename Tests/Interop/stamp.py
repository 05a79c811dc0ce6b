"""A clock that a machine can read in the picture: the same as in pages/stamp.js.

Two rows of 40 square cells: 32 bits of milliseconds since 1970 and 32 bits of the picture's number,
each with a CRC of 8 bits. Only the middle of a cell is read.
"""
import time

import numpy as np

COLUMNS = 40
CIRCLE = 1 << 32


def now():
    return time.time() * 1000


def crc8(word):
    crc = 0
    for byte in word.to_bytes(4, "big"):
        crc ^= byte
        for _ in range(8):
            crc = ((crc << 1) ^ 0x07) & 0xFF if crc & 0x80 else crc << 1
    return crc


def draw(luma, milliseconds, number):
    """Stamps a plane of luminance, an array of (height, width) bytes, in place."""
    cell = luma.shape[1] // COLUMNS
    for row, value in enumerate((int(milliseconds), number)):
        word = value % CIRCLE
        code = word << 8 | crc8(word)
        bits = np.array([(code >> (39 - index)) & 1 for index in range(COLUMNS)], np.uint8)
        line = np.repeat(bits * 219 + 16, cell)
        luma[row * cell:(row + 1) * cell, :line.size] = line


def read(luma):
    """(milliseconds, number), or None when a CRC is wrong."""
    cell, words = luma.shape[1] / COLUMNS, []
    for row in (0, 1):
        code = 0
        for index in range(COLUMNS):
            y, x = int((row + .5) * cell), int((index + .5) * cell)
            code = code << 1 | int(luma[y - 1:y + 2, x - 1:x + 2].mean() > 127)
        if crc8(code >> 8) != code & 0xFF:
            return None
        words.append(code >> 8)
    return tuple(words)


def age(moment, stamped):
    """`moment` minus a stamp, on a circle of 2^32 ms."""
    difference = (int(moment) - stamped) % CIRCLE
    return difference if difference < CIRCLE // 2 else difference - CIRCLE
