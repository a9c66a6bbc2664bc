"""What the tables of all resources share."""

import sqlalchemy as sa

metadata = sa.MetaData()
