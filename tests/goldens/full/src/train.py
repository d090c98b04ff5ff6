print("auc=0.8")
