"""The school's week, by how much its slots differ, and a better week."""
