"""How well a recogniser hears, in numbers: truth and answers become accuracy and false accepts.

confusion    matrix, accuracy with its interval, per-class results, top-k
streams      false accepts per hour, and the decision rule chosen with them
"""
