kubectl get pods
kubectl get pods -o wide
kubectl describe pods
kubectl describe node minikube
export POD_NAME=$(kubectl get pods -o go-template --template '{{range .items}}{{.metadata.name}}{{"\n"}}{{end}}')
kubectl logs $POD_NAME
kubectl exec $POD_NAME -- env
kubectl exec $POD_NAME -- cat server.js
kubectl exec $POD_NAME -- curl -s http://localhost:8080
kubectl proxy > /dev/null &
sleep 1
curl -s http://localhost:8001/api/v1/namespaces/default/pods/$POD_NAME:8080/proxy/
kubectl logs $POD_NAME
kill %1
