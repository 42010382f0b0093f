"""Makes weekly.parquet of weekly.json, with pyarrow 26.0.1 and what it does by default."""

import json

import pyarrow
import pyarrow.parquet

source = json.load(open("weekly.json"))
rows = source["rows"]
table = pyarrow.table({name: [row.get(name) for row in rows] for name in ["key", "kind", "arg", "weight"]})
metadata = {f"greenlight.{name}": str(source[name]) for name in ["label", "engine", "intercept", "created_at"]}
pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), "weekly.parquet")
