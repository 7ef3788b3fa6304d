"""Everything that is kept: SQLAlchemy tables, migrations, one file per noun."""
