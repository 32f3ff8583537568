"""Landmarks -> what is measured on a face: head pose, eyes, mouth, movements, and how far each can be trusted.

Geometry only; what counts as attentive is said by a formula. Only `movements` tells of expression.
"""
