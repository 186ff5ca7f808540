"""What stressrunner costs and how true its figures are, measured on this machine beside its peers."""
