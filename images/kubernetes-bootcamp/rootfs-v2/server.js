// The stand-in's script: only the version at the end of its answer is read from here.
var http = require('http');

http.createServer(function (request, response) {
  response.setHeader('Content-Type', 'text/plain');
  response.end("Hello Kubernetes bootcamp! | Running on: " + process.env.HOSTNAME + " | v=2\n");
}).listen(8080);
