# For `forecast predict`, `score`, `models` and `run` alone: no TensorFlow. See docs/cron.md.
FROM python:3.11-slim
WORKDIR /src
COPY requirements-predict.txt ./
RUN pip install --no-cache-dir -r requirements-predict.txt
COPY setup.cfg pyproject.toml README.md LICENSE ./
COPY forecast ./forecast
RUN pip install --no-cache-dir --no-deps .
WORKDIR /
USER 10001:10001
ENTRYPOINT ["forecast"]
