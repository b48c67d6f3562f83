# From a manifest, on another port, and without a proxy of one's own for the version.
kubectl create deployment kubernetes-bootcamp --image=gcr.io/google-samples/kubernetes-bootcamp:v1 --dry-run=client -o yaml > app.yaml
kubectl apply -f app.yaml
kubectl wait --for=condition=Available deployment/kubernetes-bootcamp --timeout=60s
kubectl get deploy -o wide
kubectl proxy --port=8080 > /dev/null &
sleep 1
curl -s localhost:8080/version/
pod=$(kubectl get pods -l app=kubernetes-bootcamp -o jsonpath='{.items[0].metadata.name}')
curl -s "localhost:8080/api/v1/namespaces/default/pods/http:$pod:8080/proxy/"
kill %1
