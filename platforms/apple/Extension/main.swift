import MlsMobile
print("x")
