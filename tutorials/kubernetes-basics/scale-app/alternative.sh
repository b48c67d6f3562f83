# By a patch, by a manifest, and by asking the Service's name from inside.
kubectl get replicasets -o wide
kubectl patch deployment kubernetes-bootcamp -p '{"spec": {"replicas": 5}}'
kubectl wait --for=jsonpath='{.status.readyReplicas}'=5 deployment/kubernetes-bootcamp --timeout=60s
sleep 1
kubectl get endpointslices -l kubernetes.io/service-name=kubernetes-bootcamp
url=$(minikube service kubernetes-bootcamp --url)
i=0
while [ $i -lt 40 ]; do curl -s "$url"; i=$((i + 1)); done
kubectl get deployment kubernetes-bootcamp -o yaml | sed 's/^  replicas: 5/  replicas: 2/' | kubectl apply -f -
sleep 1
kubectl scale --replicas=0 deployment kubernetes-bootcamp
while kubectl get pods --no-headers 2> /dev/null | grep -q bootcamp; do sleep 2; done
sleep 1
curl -s "$url" || true
