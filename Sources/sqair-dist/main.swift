print("sqair-dist")
