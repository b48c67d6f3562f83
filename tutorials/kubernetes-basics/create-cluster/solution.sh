minikube start
kubectl version
kubectl get nodes
