"""What a report says."""

from cssafe.report.document import Report


def words(report: Report) -> str:
    return "\n".join(sentence for section in report.sections for sentence in section.sentences)
