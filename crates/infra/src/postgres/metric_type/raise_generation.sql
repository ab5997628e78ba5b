UPDATE catalogue SET generation = generation + 1
