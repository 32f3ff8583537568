"""Landmarks -> signals of a face: head pose, eyes, mouth, movements, and the trust in each.

Geometry only; a formula decides what counts as attentive. Only `movements` is expression.
"""
