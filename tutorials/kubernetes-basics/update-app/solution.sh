export NODE_PORT=$(kubectl get services/kubernetes-bootcamp -o go-template='{{(index .spec.ports 0).nodePort}}')
kubectl get deployments
kubectl describe pods | grep Image:
kubectl set image deployments/kubernetes-bootcamp kubernetes-bootcamp=docker.io/jocatalin/kubernetes-bootcamp:v2
kubectl get pods
kubectl rollout status deployments/kubernetes-bootcamp
sleep 1
curl -s http://"$(minikube ip):$NODE_PORT"
kubectl get rs
kubectl set image deployments/kubernetes-bootcamp kubernetes-bootcamp=gcr.io/google-samples/kubernetes-bootcamp:v10
sleep 30
kubectl get deployments
kubectl get pods
kubectl describe pods --show-events | grep Warning
curl -s http://"$(minikube ip):$NODE_PORT"
kubectl rollout history deployments/kubernetes-bootcamp
kubectl rollout undo deployments/kubernetes-bootcamp
kubectl rollout status deployments/kubernetes-bootcamp
kubectl delete deployments/kubernetes-bootcamp services/kubernetes-bootcamp
