"""The emotion words. Every package of this field orders them differently, so labels travel by name, never by position."""

FERPLUS = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt")
"""The eight words CSSAFE shows and stores, in FERPlus' order (Barsoum et al. 2016)."""

FER2013 = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""The seven words of the original FER2013 labels, in the order of fer2013.csv (Goodfellow et al. 2013)."""

FERPLUS_VOTES = dict(
    zip(
        FERPLUS,
        ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"),
        strict=True,
    )
)
"""Our word -> the word in FERPlus' own vote columns (`fp_<word>` in the parquet files)."""
