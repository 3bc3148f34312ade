"""The LSTM: cells, NumPy runtime, Keras model, training."""
