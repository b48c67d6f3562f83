kubectl get deployments
kubectl get rs
kubectl scale deployments/kubernetes-bootcamp --replicas=4
kubectl rollout status deployments/kubernetes-bootcamp
kubectl get pods -o wide
kubectl describe deployments/kubernetes-bootcamp
kubectl describe services/kubernetes-bootcamp
export NODE_PORT=$(kubectl get services/kubernetes-bootcamp -o go-template='{{(index .spec.ports 0).nodePort}}')
sleep 1
for i in $(seq 30); do curl -s $(minikube ip):$NODE_PORT; done
kubectl scale deployments/kubernetes-bootcamp --replicas=2
sleep 1
kubectl get pods -o wide
kubectl scale deployments/kubernetes-bootcamp --replicas=0
kubectl get deployments
kubectl wait --for=delete pod -l app=kubernetes-bootcamp --timeout=60s
sleep 1
curl -s http://"$(minikube ip):$NODE_PORT" || echo "nobody answers"
