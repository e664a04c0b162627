secret "a" { prompt = true }
