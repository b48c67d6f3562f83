# With a size of one's own, and by raw requests.
minikube start --nodes=2
kubectl get --raw /version
kubectl get no -o wide
