# By patches, by events, and by naming the revision to go back to.
url=$(minikube service kubernetes-bootcamp --url)
kubectl get pods -o jsonpath='{.items[*].spec.containers[*].image}'
kubectl patch deployment kubernetes-bootcamp -p \
  '{"spec":{"template":{"spec":{"containers":[{"name":"kubernetes-bootcamp","image":"jocatalin/kubernetes-bootcamp:v2"}]}}}}'
kubectl rollout status deployment kubernetes-bootcamp
sleep 1
curl -s "$url"
kubectl set image deployment kubernetes-bootcamp '*=gcr.io/google-samples/kubernetes-bootcamp:v10'
sleep 45
kubectl get events --field-selector reason=Failed
curl -s "$url"
kubectl rollout undo deployment kubernetes-bootcamp --to-revision=2
kubectl wait --for=condition=Available deployment/kubernetes-bootcamp
kubectl rollout status deployment kubernetes-bootcamp
kubectl delete all -l app=kubernetes-bootcamp
