"""Charts of the pages and reports: DataFrame -> alt.Chart, and beside each its caption, DataFrame -> sentence.

`x_caption` is the sentence under the chart `x`, which a screen reader says, too: means with their 95 % intervals. It names the
highest and the lowest only where stats/evidence.py says that they differ. Concentration stands as the index from 0 to 1, shares
in percent.
"""
