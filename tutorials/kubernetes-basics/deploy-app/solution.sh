kubectl create deployment kubernetes-bootcamp --image=gcr.io/google-samples/kubernetes-bootcamp:v1
kubectl get deployments
kubectl rollout status deployment/kubernetes-bootcamp
kubectl proxy > /dev/null &
sleep 1
curl -s http://localhost:8001/version
export POD_NAME=$(kubectl get pods -o go-template --template '{{range .items}}{{.metadata.name}}{{"\n"}}{{end}}')
echo Name of the Pod: $POD_NAME
curl -s http://localhost:8001/api/v1/namespaces/default/pods/$POD_NAME:8080/proxy/
kill %1
